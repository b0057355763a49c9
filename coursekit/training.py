"""Live progress while a model trains, and one stable line afterwards."""

import IPython
import IPython.display
import keras


class LiveProgress(keras.callbacks.Callback):
    """Use with `model.fit(..., verbose=0, callbacks=[ck.LiveProgress()])`.

    While the model trains a bar counts the epochs (it is a widget and leaves nothing behind in the stored notebook);
    afterwards one line says how it ended, rounded to as many digits as hold on other machines.
    label: a name for this run. digits: decimals of the closing line.
    """

    def __init__(self, label="", digits=2):
        super().__init__()
        self.label, self.digits = label, digits
        self.bar, self.last, self.epochs = None, {}, 0

    def on_train_begin(self, logs=None):
        self.last, self.epochs = {}, 0
        if IPython.get_ipython() is not None:
            import tqdm.notebook

            self.bar = tqdm.notebook.tqdm(total=self.params.get("epochs"), desc=self.label or "epochs", display=False)
            view = "application/vnd.jupyter.widget-view+json"
            widget = self.bar.container._repr_mimebundle_()
            IPython.display.display({view: widget[view]}, raw=True)

    def on_epoch_end(self, epoch, logs=None):
        self.last, self.epochs = dict(logs or {}), epoch + 1
        if self.bar is not None:
            self.bar.set_postfix({name: f"{value:.{self.digits}f}" for name, value in self.last.items()}, refresh=False)
            self.bar.update(1)

    def on_train_end(self, logs=None):
        if self.bar is not None:
            self.bar.container.layout.display = "none"
            self.bar.close()
        plural = "s" if self.epochs != 1 else ""
        parts = [self.label] if self.label else []
        parts += [f"{self.epochs} epoch{plural}"]
        parts += [f"{name} {value:.{self.digits}f}" for name, value in self.last.items()]
        print(" · ".join(parts))
