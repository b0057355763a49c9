"""The five programs in PyTorch: the same networks, data and steps as in five_programs.py. Imports no Keras."""

import os
import time

import numpy as np

TRAIN, TEST, BATCH, EPOCHS, RATE = 12_032, 2_000, 64, 4, 1e-3  # 188 whole batches
GOALS = {"dense": 0.8, "CNN": 0.8, "RNN": 0.7, "attention": 0.6, "Transformer": 0.7}  # test accuracy


def networks():
    """For each program a function that returns its network, with Keras's start: Glorot uniform, biases 0."""
    import torch
    from torch import nn

    class Rows(nn.Module):
        """A picture (batch, 28, 28) as 28 rows; `body` turns (batch, 28, 64) or the rows into (batch, 64)."""

        def __init__(self, body, embed=True):
            super().__init__()
            self.embed, self.body, self.head = nn.Linear(28, 64) if embed else nn.Identity(), body, nn.Linear(64, 10)

        def forward(self, x):
            return self.head(self.body(self.embed(x)))

    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(28, 64, batch_first=True)

        def forward(self, x):
            return self.lstm(x)[0][:, -1]

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.MultiheadAttention(64, 4, batch_first=True)

        def forward(self, x):
            return self.attention(x, x, x, need_weights=False)[0].mean(dim=1)

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.block = nn.TransformerEncoderLayer(64, 4, 256, dropout=0.0, batch_first=True, norm_first=True)
            self.norm = nn.LayerNorm(64)

        def forward(self, x):
            return self.norm(self.block(x)).mean(dim=1)

    def started(network):
        for parameter in network.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)
        for name, parameter in network.named_parameters():
            if "bias" in name:
                nn.init.zeros_(parameter)
        return network

    def cnn():
        return nn.Sequential(
            nn.Unflatten(1, (1, 28)),
            nn.Conv2d(1, 32, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(1600, 64),
            nn.ReLU(),
            nn.Linear(64, 10),
        )

    def dense():
        return nn.Sequential(
            nn.Flatten(), nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10)
        )

    torch.set_num_threads(os.cpu_count())
    makers = {
        "dense": dense,
        "CNN": cnn,
        "RNN": lambda: Rows(Last(), embed=False),
        "attention": lambda: Rows(Attention()),
        "Transformer": lambda: Rows(Block()),
    }
    return {name: lambda make=make: started(make()) for name, make in makers.items()}


def train(program, data, seed):
    """Train one program. Returns its parameters and, for each epoch, (seconds, accuracy on the test pictures)."""
    import torch

    torch.manual_seed(seed)
    network = networks()[program]()
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE, eps=1e-7)
    loss = torch.nn.CrossEntropyLoss()
    x, y, x_test = (torch.from_numpy(data[name]) for name in ("x", "y", "x_test"))
    epochs = []
    for _ in range(EPOCHS):
        began = time.perf_counter()
        network.train()
        for chosen in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            loss(network(x[chosen]), y[chosen]).backward()
            optimizer.step()
        seconds = time.perf_counter() - began
        network.eval()
        with torch.no_grad():
            answers = network(x_test).argmax(dim=1).numpy()
        epochs.append((seconds, float(np.mean(answers == data["y_test"]))))
    return sum(parameter.numel() for parameter in network.parameters()), epochs
