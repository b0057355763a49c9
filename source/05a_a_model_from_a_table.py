# ---
# title: A model from a table
# promise: You will turn a messy table into a saved model that takes raw rows, and know which of its scores you may trust.
# built: You built and saved a model that takes the raw rows of a table, and compared it with plain rules on data it had not seen.
# minutes: 80
# prerequisites: [04c_choosing_an_optimizer]
# data: [titanic, fashion_mnist]
# articles: [a0 3.3, a0 4, a4 2]
# clinic: [05-1]
# topic: tables
# ---

# %% [markdown]
# **What you will be able to do**
#
# - put data pre-processing (数据预处理) inside a model: gaps, text and scales, so that it takes rows as they stand in the file;
# - face the plain baselines, and repeat a split until you know how much a score wobbles;
# - recognise data leakage (数据泄漏) in three forms, and measure what it does;
# - write accuracy (准确率), precision (精确率), recall (召回率), F1 score (F1 值) and ROC-AUC, and say when accuracy misleads.

# %% tags=["setup"]
import coursekit as ck

ck.start()

# %% [markdown]
# ## Right for two passengers in three, without looking
#
# Who survived the Titanic? Here is a list of 1,313 passengers. Look at the data before you model it: what is wrong in
# these six rows?

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import layers, ops

table = ck.data.titanic()
print(table.loc[[0, 45, 456, 707, 728, 729]].to_string())

missing = table["age"].isna().to_numpy()
twice = table.loc[table["name"].duplicated(), "name"].tolist()
print(f"{len(table):,} rows, {missing.sum()} without an age; classes {table['class'].value_counts().to_dict()}")
print("names that stand there twice:", "; ".join(twice))
assert (len(table), missing.sum(), len(twice)) == (1313, 557, 3)

# %% [markdown]
# Ages are missing, one class is `*`, names occur twice. Nothing of this will be mended by hand.

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), sharey=True)
groups = [
    ("sex", table["sex"], ["female", "male"]),
    ("age", np.where(missing, "missing", "known"), ["known", "missing"]),
]
for axis, (title, column, values) in zip(axes, groups, strict=True):
    for number, value in enumerate(values):
        members = [table[(table["class"] == name) & (column == value)] for name in ["1st", "2nd", "3rd"]]
        share = [100 * part["survived"].mean() for part in members]
        hatch = ["", "//"][number]
        axis.bar(np.arange(3) + 0.4 * number, share, 0.38, color=f"C{number}", hatch=hatch, label=f"{title} {value}")
    axis.set(title=f"Survivors by class and {title}", xlabel="class", xticks=[0.2, 1.2, 2.2])
    axis.set_xticklabels(["1st", "2nd", "3rd"])
    axis.legend()
axes[0].set_ylabel("survived (%)")
ck.show(figure, alt="Women survived far more often than men in each class; passengers whose age is missing less often")

# %%
y = table["survived"].to_numpy("float32")  # (rows,)
women = table["sex"].to_numpy() == "female"
nobody, by_sex = np.mean(y == 0), np.mean(women == y)
by_age = [y[missing].mean(), y[~missing].mean()]
print(f"'nobody survived' is right for {nobody:.0%}; 'women survived, men did not' for {by_sex:.0%}")
print(f"survived: {by_age[0]:.0%} of those without an age, {by_age[1]:.0%} of those with one")
assert round(nobody, 2) == 0.66 and round(by_sex, 2) == 0.77

# %% [markdown]
# A sentence that never looks at a row is right for 66 %, and one column gives 77 %. A network must be measured from *there*,
# not from zero. And a missing age is a message of its own: fewer of these passengers survived.
#
# ### Exercise 5a.1 · A rule from one column · ●○○ · 6 minutes
# Write `rule_accuracy(values, y)`: the best rule that looks at one column. For each value that occurs in the array
# `values`, predict what most rows with that value have in `y` (0 or 1). Return the share of rows for which this is right.


# %% tags=["exercise"]
def rule_accuracy(values, y):
    ### BEGIN SOLUTION
    right = 0
    for value in np.unique(values):
        ones = y[values == value].sum()
        right += max(ones, np.sum(values == value) - ones)
    return right / len(y)
    ### END SOLUTION


# %% tags=["check"]
ck.check("tables.rule_accuracy", rule_accuracy)

# %% [markdown]
# ## Three parts, and families stay together
#
# As in chapter 04c we need three parts. The **training set** (训练集) is for the parameters, the validation set for choices,
# the **test set** (测试集) for one final judgement. Relatives travel together and may share a fate.
# **Guess first:** if rows are drawn at random, how many test passengers have someone of the same surname outside?

# %%
surnames = table["name"].str.split(",| Mr | Master ", regex=True).str[0].to_numpy()
known_names, family = np.unique(surnames, return_inverse=True)  # family: a number for each passenger
at_random = np.random.default_rng(0).random(len(y)) < 0.2
relatives = np.isin(family[at_random], family[~at_random]).mean()
print(f"{len(known_names)} surnames; in a random split {relatives:.0%} of the test passengers have a namesake outside")
assert 0.44 < relatives < 0.50


def split(seed):
    """0 (training), 1 (validation) or 2 (test) for each passenger, about 60, 20 and 20 %; families stay together."""
    place = np.random.default_rng(seed).random(len(known_names))  # one number for each family
    return np.digitize(place[family], [0.6, 0.8])


parts = split(0)
train, validation, test = (parts == part for part in range(3))
print("passengers in the three parts:", train.sum(), validation.sum(), test.sum())
assert not np.isin(family[test], family[~test]).any()

# %% [markdown]
# ## Gaps, text and scales inside the model
#
# The saved model shall take a row as it stands: text and `nan`. Whoever uses it then cannot prepare it wrongly. So the
# preparation is made of layers. First the ages: `Normalization` learns a mean and a spread from the **training** rows.

# %%
rows = {name: table[[name]].to_numpy("float32" if name == "age" else str) for name in ["age", "class", "sex"]}
train_ages = rows["age"][train]  # (rows, 1)

careless, scale = layers.Normalization(), layers.Normalization()
careless.adapt(train_ages)
scale.adapt(train_ages[~np.isnan(train_ages)][:, np.newaxis])
for name, layer in [("all training ages", careless), ("the known ones only", scale)]:
    print(f"mean learned from {name}: {float(layer.mean[0, 0]):.0f}")
assert np.isnan(float(careless.mean[0, 0])) and 30 < float(scale.mean[0, 0]) < 31.4

# %% [markdown]
# One gap spoils the mean, and later every row. So we scale first and put a 0 into each gap: after scaling, 0 *is* the mean.
# A second column keeps the fact that the age was missing.
#
# ### Exercise 5a.2 · Fill in the ages · ●●○ · 6 minutes
# Write `fill_age(train_ages, ages)` in NumPy, without scaling: an array of shape `(rows, 2)` for the array `ages`. Column 0
# is the age, or the mean of the known `train_ages` where it is `nan`. Column 1 is 1 where it was missing, else 0.


# %% tags=["exercise"]
def fill_age(train_ages, ages):
    ### BEGIN SOLUTION
    gap = np.isnan(ages)
    return np.stack([np.where(gap, np.nanmean(train_ages), ages), gap], axis=1)
    ### END SOLUTION


# %% tags=["check"]
ck.check("tables.fill_age", fill_age)

# %% [markdown]
# Next the text. `StringLookup` turns a word into a number, `CategoryEncoding` turns the number into a column of its own.
# Number 0 is kept for all words that are not in the list. **Guess first:** what happens to the class `*`?

# %%
lookup = layers.StringLookup(vocabulary=["1st", "2nd", "3rd"])
encode = layers.CategoryEncoding(num_tokens=4, output_mode="one_hot")
for word in ["1st", "3rd", "*"]:
    print(
        f"{word:4} number {int(lookup([word])[0])}, columns {ops.convert_to_numpy(encode(lookup([word]))).astype(int)}"
    )
assert int(lookup(["*"])[0]) == 0

# %% [markdown]
# It becomes "unknown" and crashes nothing. Now all three columns as one model, checked against NumPy:

# %%
inputs = {name: keras.Input((1,), dtype="float32" if name == "age" else "string", name=name) for name in rows}
gap = ops.isnan(inputs["age"])
columns = [ops.where(gap, 0.0, scale(inputs["age"])), ops.cast(gap, "float32")]
for name, words in {"class": ["1st", "2nd", "3rd"], "sex": ["female", "male"]}.items():
    number = layers.StringLookup(vocabulary=words)(inputs[name])
    columns.append(layers.CategoryEncoding(num_tokens=len(words) + 1, output_mode="one_hot")(number))
preparation = keras.Model(inputs, layers.Concatenate()(columns))
prepared = preparation(rows).numpy()  # (rows, 9)

known = train_ages[~np.isnan(train_ages)]
by_hand = np.where(missing, 0, (rows["age"][:, 0] - known.mean()) / known.std())
others = [missing, *[rows["class"][:, 0] == word for word in ["*", "1st", "2nd", "3rd"]], 0 * y, women, ~women]
assert np.allclose(prepared, np.column_stack([by_hand, *others]), atol=1e-5)
print("prepared:", prepared.shape, "gaps left:", np.isnan(prepared).sum())

# %% [markdown]
# The preparation has nothing to train, so we run it once and train a small network on its output. Then we join the two.

# %%
keras.utils.set_random_seed(0)
network = keras.Sequential([keras.Input((9,)), layers.Dense(16, "relu"), layers.Dense(1)])
network.compile(keras.optimizers.Adam(0.01), keras.losses.BinaryCrossentropy(from_logits=True), steps_per_execution=12)
network.fit(prepared[train], y[train], batch_size=64, epochs=15, verbose=0)

model = keras.Model(inputs, layers.Activation("sigmoid")(network(preparation.output)))
accuracy = np.mean((model(rows).numpy()[:, 0] > 0.5) == y, where=validation)
print(f"accuracy on the validation set: about {round(100 * accuracy / 5) * 5} %")
assert 0.76 < accuracy < 0.9

# %%
import pathlib
import tempfile

with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / "titanic.keras"
    model.save(path)
    loaded = keras.models.load_model(path)  # safe mode is the default
assert np.allclose(loaded(rows), model(rows), atol=1e-6)

new_rows = {
    "age": np.array([[30.0], [np.nan], [40.0]]),
    "class": np.array([["1st"], ["3rd"], ["*"]]),
    "sex": np.array([["female"], ["male"], ["male"]]),
}
print("raw rows, survival more likely than not:", loaded(new_rows).numpy()[:, 0] > 0.5)
try:
    loaded.predict(new_rows, verbose=0)
except ValueError as error:
    print("predict with NumPy texts:", error)
as_data_set = tf.data.Dataset.from_tensor_slices(new_rows).batch(3)
assert np.allclose(loaded.predict(as_data_set, verbose=0), loaded(new_rows), atol=1e-6)

# %% [markdown]
# The loaded model gives the same 1,313 probabilities, from text and `nan`. One stumbling block: a direct call takes NumPy
# texts, `predict` wants them as a `tf.data.Dataset`.
#
# ### Exercise 5a.3 · A model for raw tickets · ●●● · 15 minutes
# Another table: tickets with a fare (`nan` where unknown) and a port. Write `build_model(fares, ports)`: a compiled Keras
# model that takes `{"fare": (rows, 1) floats, "port": (rows, 1) texts}` and gives one probability a row, shape `(rows, 1)`.
# `fares` (an array with gaps) is for the scaling, `ports` is the list of known ports; any other port is "unknown". Keep a
# column for missing fares. Eight hidden ReLU units, Adam with rate 0.01, binary cross-entropy.


# %% tags=["exercise"]
def build_model(fares, ports):
    ### BEGIN SOLUTION
    scale = layers.Normalization()
    scale.adapt(fares[~np.isnan(fares)].reshape(-1, 1))
    fare = keras.Input((1,), name="fare")
    port = keras.Input((1,), dtype="string", name="port")
    gap = ops.isnan(fare)
    number = layers.StringLookup(vocabulary=ports)(port)
    columns = [
        ops.where(gap, 0.0, scale(fare)),
        ops.cast(gap, "float32"),
        layers.CategoryEncoding(num_tokens=len(ports) + 1, output_mode="one_hot")(number),
    ]
    hidden = layers.Dense(8, "relu")(layers.Concatenate()(columns))
    model = keras.Model({"fare": fare, "port": port}, layers.Dense(1, "sigmoid")(hidden))
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    return model
    ### END SOLUTION


# %% tags=["check"]
ck.check("tables.build_model", build_model)

# %% [markdown]
# ## One split is one throw of the dice
#
# A test set of 260 people is small. Another split, another score. So we train on **forty** splits. `EinsumDense` lets forty
# networks run side by side: its weights get one more axis, and no network sees another's numbers. A row that is not in the
# training set of a split gets the weight 0 in that split's loss.

# %%
SPLITS, COLUMNS = 40, 10  # nine columns, and a free one for later
start = keras.initializers.RandomUniform(-0.5, 0.5, seed=0)
many = keras.Sequential(
    [
        keras.Input((SPLITS, COLUMNS)),
        layers.EinsumDense("nsc,scu->nsu", (SPLITS, 16), "relu", bias_axes="su", kernel_initializer=start),
        layers.EinsumDense("nsu,suo->nso", (SPLITS, 1), bias_axes="so", kernel_initializer=start),
    ]
)
optimizer = keras.optimizers.Adam(0.03)
many.compile(optimizer, keras.losses.BinaryCrossentropy(from_logits=True), steps_per_execution=100)
optimizer.build(many.trainable_variables)
fresh = [(variable, ops.convert_to_numpy(variable)) for variable in many.variables + optimizer.variables]


# %%
def logits(features, used):
    """Train from the start on the rows `used` (rows, splits); features (rows, splits, 10). Returns (rows, splits)."""
    for variable, value in fresh:
        variable.assign(value)
    target = np.repeat(y[:, np.newaxis], SPLITS, axis=1)[..., np.newaxis]  # (rows, splits, 1)
    batch = tf.data.Dataset.from_tensors((features, target, used.astype("float32")))
    many.fit(batch.repeat(100), verbose=0, shuffle=False)
    return many(features).numpy()[..., 0]


# %%
all_parts = np.stack([split(seed) for seed in range(SPLITS)], axis=1)  # (rows, splits)
ages = rows["age"]


def features(fitted_on, fill=None):
    """Ten columns for each split; the scaling is fitted on the rows `fitted_on`. `fill`: years for missing ages."""
    known = np.where(fitted_on, ages, np.nan)
    filled = ages if fill is None else np.where(np.isnan(ages), fill, ages)
    scaled = np.nan_to_num((filled - np.nanmean(known, axis=0)) / np.nanstd(known, axis=0))  # (rows, splits)
    others = np.repeat(prepared[:, np.newaxis, 1:], SPLITS, axis=1)  # (rows, splits, 8)
    return np.concatenate([scaled[..., np.newaxis], others, 0 * scaled[..., np.newaxis]], axis=2).astype("float32")


def accuracies(predicted, part=2):
    """Percent right in one part (0, 1 or 2) of each split, shape (splits,)."""
    return 100 * np.mean(predicted == (y[:, np.newaxis] == 1), axis=0, where=all_parts == part)


# %%
group = np.unique(table["sex"] + table["class"], return_inverse=True)[1]  # (rows,): a number for each pair
mostly_saved = [np.bincount(group[used], 2 * y[used] - 1, minlength=7) > 0 for used in (all_parts == 0).T]
by_both = np.array(mostly_saved)[:, group].T  # (rows, splits): what most training rows of the group did

honest = features(all_parts == 0)
score = {"nobody": accuracies(np.zeros_like(all_parts)), "by sex": accuracies(np.tile(women, (SPLITS, 1)).T)}
score["by sex and class"] = accuracies(by_both)
score["network"] = accuracies(logits(honest, all_parts == 0) > 0)

without_the_first = honest * (np.arange(SPLITS) > 0)[:, np.newaxis]  # the first network sees only zeros
assert np.allclose(many(without_the_first)[:, 1:], many(honest)[:, 1:], atol=1e-5)  # no other network notices

# %%
for name, value in score.items():
    print(f"{name:16} mean ≈ {value.mean():.1f} %, standard deviation ≈ {value.std():.1f} points")
for rival in ["by sex", "by sex and class"]:
    gain = score["network"] - score[rival]
    print(f"network against {rival:16} ≈ {gain.mean():+.1f} points, better on ≈ {np.sum(gain > 0)} of 40 splits")
    if rival == "by sex":
        assert 3 < gain.mean() < 5.5 and np.sum(gain > 0) > 30
    else:
        assert abs(gain.mean()) < 1 and 10 < np.sum(gain > 0) < 30
assert 81 < score["network"].mean() < 83.5 and 77 < score["by sex"].mean() < 79
assert 2.2 < score["network"].std() < 3.3 and score["network"].min() < 77 < 86 < score["network"].max()

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 4))
for number, value in enumerate(score.values()):
    across = number + np.linspace(-0.2, 0.2, SPLITS)
    axes[0].plot(across, value, "osD^"[number], color=f"C{number}", alpha=0.6)
axes[0].set(xticks=range(4), xlabel="predictor", ylabel="test accuracy (%)", title="Forty splits")
axes[0].set_xticklabels(["nobody", "by sex", "by sex\nand class", "network"])
for rival, style in [("by sex", "sC1"), ("by sex and class", "DC2")]:
    axes[1].plot(score[rival], score["network"], style[0], color=style[1:], label=rival, alpha=0.7)
axes[1].plot([72, 89], [72, 89], "--", color="grey", label="equally good")
axes[1].set(xlabel="rule: test accuracy (%)", ylabel="network: test accuracy (%)", title="The same split for both")
axes[1].legend()
ck.show(
    figure,
    alt="Scores wobble from split to split; the network beats the rule by sex nearly always, the rule by both in half",
)

# %% [markdown]
# One network, one table, and yet scores from below 77 % to above 86 %. A single split could have told either. Compared *on
# the same split*, the network is about four points ahead of the rule by sex. But six counted groups, sex and class together,
# do as well as it: less than a point apart. Look for the **strongest** plain baseline before you praise a network.
#
# What do the ages bring? This is a choice, so the **validation** parts decide. **Guess first:** does the "missing" column help?

# %%
changes = {"no 'missing' column": honest.copy(), "no age at all": honest.copy(), "no column, gaps as 0 years": None}
changes["no 'missing' column"][..., 1] = 0
changes["no age at all"][..., :2] = 0
changes["no column, gaps as 0 years"] = features(all_parts == 0, fill=0.0)
changes["no column, gaps as 0 years"][..., 1] = 0

reference, change = accuracies(logits(honest, all_parts == 0) > 0, part=1), {}
figure, axis = plt.subplots(figsize=(8, 3.2))
for number, (name, values) in enumerate(changes.items()):
    change[name] = accuracies(logits(values, all_parts == 0) > 0, part=1) - reference
    axis.plot(change[name], number + np.linspace(-0.2, 0.2, SPLITS), "os^"[number], color=f"C{number}", alpha=0.5)
    axis.plot([change[name].mean()] * 2, [number - 0.35, number + 0.35], color="black")
    twice = 2 * change[name].std(ddof=1) * np.sqrt(1 / SPLITS + 20 / 60)  # 20 rows judge for 60 that train
    low, high = change[name].mean() - twice, change[name].mean() + twice
    print(f"{name:25} mean change between ≈ {low:.1f} and ≈ {high:+.1f} points")
    assert -3.5 < low < 0 < high < 2
axis.axvline(0, color="grey", linestyle="--")
axis.set(yticks=range(3), ylabel="change", xlabel="validation accuracy minus that of the full table (points)")
axis.set(title="What three changes do on forty splits (black: mean)")
axis.set_yticklabels(changes)
ck.show(
    figure, alt="Three changes on forty splits: single splits move to both sides; the lowest mean is about -1 point"
)
missing_column, no_age, zero_years = (value.mean() for value in change.values())
assert abs(missing_column) < 0.6 and abs(no_age) < 0.8 and -1.8 < zero_years < -0.6

# %% [markdown]
# The forty validation parts are drawn from the same 1,313 passengers, so the forty changes are not independent. The printed
# ranges allow for that (chapter 05b explains the formula): the mean, plus and minus twice its error. All three contain 0.
# So this table shows no use of the column for missing ages, nor of the ages, nor harm from gaps filled with 0 years, a newborn
# child, though its mean is the lowest, about a point. To fill in what is known to be false needs no score to be a bad idea.
#
# ## Leakage: the test set talks to the model
#
# A leak is what the model knows about the test rows and will not know in use. The score gets better, the model does not.
#
# **First leak: fitted on all rows.** We let the scaling see every age. Then the same mistake with another step:
# 2,000 columns of pure noise, labels thrown like coins, and the ten "best" columns are chosen on all rows.

# %%
from sklearn.linear_model import LogisticRegression

scaling = accuracies(logits(features(all_parts >= 0), all_parts == 0) > 0) - score["network"]
chosen_on = {"training rows": [], "all rows": []}
for seed in range(15):
    random = np.random.default_rng(seed)
    noise, coin, first = random.normal(size=(100, 2_000)), random.permutation(np.arange(100) % 2), np.arange(100) < 50
    for name, seen in [("training rows", first), ("all rows", first | True)]:
        difference = noise[seen & (coin == 1)].mean(axis=0) - noise[seen & (coin == 0)].mean(axis=0)
        best = noise[:, np.argsort(-np.abs(difference))[:10]]
        linear = LogisticRegression().fit(best[first], coin[first])
        chosen_on[name].append(100 * linear.score(best[~first], coin[~first]))
print(f"scaling fitted on all rows moves the mean by ≈ {abs(scaling.mean()):.1f} points")
for name, value in chosen_on.items():
    print(f"coin flips 'predicted', columns chosen on {name:13}: {np.mean(value):.0f} %")
assert abs(scaling.mean()) < 0.4 and 47 < np.mean(chosen_on["training rows"]) < 55 < 70 < np.mean(chosen_on["all rows"])

# %% [markdown]
# The famous mistake, scaling on all rows, did next to nothing here: a mean and a spread over hundreds of rows hold little
# of any one. Choosing columns on all rows "predicts" coins at more than 70 %. The rule is the same; the damage differs.
#
# **Second leak: duplicates.** To balance the classes, survivors' rows are copied, *and then* the table is split. Honest:
# split first, then copy inside each part. Two models: a decision tree, which can memorise rows, and a linear one, which
# cannot. The length of the name joins the columns, so that most rows are unique.

# %%
from sklearn.tree import DecisionTreeClassifier

wide = np.column_stack([prepared, table["name"].str.len() / 10])  # (rows, 10)


def balanced(members, random):
    """Indices of `members`, with survivors copied at random until they are as many as the lost."""
    lost, survivors = members[y[members] == 0], members[y[members] == 1]
    return np.concatenate([members, random.choice(survivors, len(lost) - len(survivors))])


models = {"tree": DecisionTreeClassifier(random_state=0), "linear": LogisticRegression()}
copies = {(name, when): [] for name in models for when in ["split, then copy", "copy, then split"]}
for seed in range(12):
    random = np.random.default_rng(seed)
    late = [balanced(np.flatnonzero(mask), random) for mask in (split(seed) < 2, split(seed) == 2)]
    early = random.permutation(balanced(np.arange(len(y)), random))
    for when, (learn, judge) in [("split, then copy", late), ("copy, then split", (early[350:], early[:350]))]:
        for name, classifier in models.items():
            copies[name, when].append(100 * classifier.fit(wide[learn], y[learn]).score(wide[judge], y[judge]))

# %%
for when in ["split, then copy", "copy, then split"]:
    print(f"tree, {when}: {np.mean(copies['tree', when]):.0f} %")
leak = {name: np.mean(copies[name, "copy, then split"]) - np.mean(copies[name, "split, then copy"]) for name in models}
print(f"linear model: the two differ by ≈ {abs(leak['linear']):.1f} points")
assert 6 < leak["tree"] < 8 and abs(leak["linear"]) < 3 and len(np.unique(wide, axis=0)) > 0.6 * len(wide)

# %% [markdown]
# The tree meets copies of its training rows in the test set and gains about seven points that are not there.
#
# ### Exercise 5a.4 · Rows seen before · ●●○ · 8 minutes
# Write the audit `seen_before(train, test)`: for each row of `test`, True if an identical row stands in `train`. Both have
# the shape `(rows, columns)`. A missing entry (`nan`) counts as equal to a missing entry.


# %% tags=["exercise"]
def seen_before(train, test):
    ### BEGIN SOLUTION
    one, other = test[:, np.newaxis], train[np.newaxis]  # compared: (test rows, train rows, columns)
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    return same.all(axis=2).any(axis=1)
    ### END SOLUTION


# %% tags=["check"]
ck.check("tables.seen_before", seen_before)

# %% [markdown]
# **Third leak: a column that knows the answer.** We *make up* a column "seat in a lifeboat": 1 for 90 % of the survivors and
# 5 % of the lost. It was written down after the event. On the morning of the journey it is 0 for everybody.

# %%
random = np.random.default_rng(0)
lifeboat = np.where(y == 1, random.random(len(y)) < 0.9, random.random(len(y)) < 0.05)  # made up
leaky = honest.copy()
leaky[..., 9] = lifeboat[:, np.newaxis]
boat = {"with the lifeboat": accuracies(logits(leaky, all_parts == 0) > 0), "without it": score["network"]}
boat["with it, used in the morning"] = accuracies(many(honest).numpy()[..., 0] > 0)
for name, value in boat.items():
    print(f"{name:29} {value.mean():.0f} %")
assert 92 < boat["with the lifeboat"].mean() < 94 and 73 < boat["with it, used in the morning"].mean() < 79

# %% [markdown]
# 93 % on the test set, and in use worse than without the column. No split finds this leak, for the column stands in all
# three parts. Ask of each column: *when* was it written? (A missing age, too, may be something learned afterwards; the
# file does not say.) And be suspicious when one column nearly answers alone: exercise 5a.1 computes that.
#
# ## When accuracy misleads
#
# With $TP$ rows rightly called 1, $FP$ wrongly called 1 and $FN$ wrongly called 0:
#
# $$ \text{precision} = \frac{TP}{TP + FP}, \qquad \text{recall} = \frac{TP}{TP + FN}, \qquad
#    F_1 = \frac{2 \cdot \text{precision} \cdot \text{recall}}{\text{precision} + \text{recall}} $$

# %%
from sklearn import metrics


def scores(y, predicted):
    """Accuracy, precision, recall and F1 of predictions 0 or 1; what would be 0/0 is 0."""
    hits = np.sum((y == 1) & (predicted == 1))
    precision, recall = hits / max(np.sum(predicted == 1), 1), hits / max(np.sum(y == 1), 1)
    f1 = 2 * precision * recall / max(precision + recall, 1e-12)
    return np.array([np.mean(y == predicted), precision, recall, f1])


random = np.random.default_rng(0)
library = [metrics.accuracy_score, metrics.precision_score, metrics.recall_score, metrics.f1_score]
for share in [0.1, 0.5, 0.9]:
    truth, guess = (random.random(1_000) < share).astype(int), random.integers(0, 2, 1_000)
    assert np.allclose(scores(truth, guess), [function(truth, guess) for function in library])
print("four scores agree with scikit-learn")

# %% [markdown]
# Find the shirts: one picture of clothes in ten shows a shirt. **Guess first:** what accuracy has "there is no shirt"?

# %%
(x_pool, y_pool), (x_shirt, y_shirt) = ck.data.fashion_mnist(train=8_000, test=10_000)
x_pool, x_shirt = (pixels.reshape(-1, 784).astype("float32") / 255 for pixels in (x_pool, x_shirt))
y_pool, y_shirt = (y_pool == 6).astype(int), (y_shirt == 6).astype(int)

keras.utils.set_random_seed(0)
finder = keras.Sequential([keras.Input((784,)), layers.Dense(64, "relu"), layers.Dense(1, "sigmoid")])
finder.compile("adam", "binary_crossentropy", steps_per_execution=24)
finder.fit(x_pool[:6_000], y_pool[:6_000], batch_size=125, epochs=8, verbose=0)
choosing = finder(x_pool[6_000:]).numpy()[:, 0].astype(float)  # validation
probability = finder(x_shirt).numpy()[:, 0].astype(float)

# %%
print("                    accuracy  precision  recall   F1")
shirts = {"no shirt at all": scores(y_shirt, 0 * y_shirt)}
for threshold in [0.5, 0.3]:  # 0.3 finds three in four of the validation pictures' shirts, see below
    shirts[f"called at {threshold}"] = scores(y_shirt, (probability >= threshold).astype(int))
for name, values in shirts.items():
    print(f"{name:18} {values[0]:8.0%} {values[1]:10.0%} {values[2]:8.0%} {values[3]:5.1f}")
assert shirts["no shirt at all"][0] == 0.9 > shirts["called at 0.3"][0] and shirts["called at 0.3"][2] > 0.7

# %% [markdown]
# Finding **none** of 1,000 shirts gives 90 %. The network that is made to find more than 70 % of them has a *lower* accuracy.
# When a class is rare, accuracy hardly sees it. Move the threshold: what do you pay for more recall?

# %%
thresholds = np.linspace(0.02, 0.95, 94)
curve = np.array([scores(y_shirt, (probability >= value).astype(int)) for value in thresholds])


def at_threshold(threshold):
    figure, axis = plt.subplots(figsize=(7, 3.8))
    for column, (name, style) in enumerate({"accuracy": ":", "precision": "-", "recall": "--", "F1": "-."}.items()):
        axis.plot(thresholds, 100 * curve[:, column], style, label=name, color=f"C{column}")
    called = probability >= threshold
    axis.axvline(threshold, color="black", linewidth=1)
    title = f"threshold {threshold:g}: {called.sum():,} called shirts, {np.sum(called & (y_shirt == 1))} of 1,000 found"
    axis.set(xlabel="threshold (probability)", ylabel="score (%)", xlim=(0, 1), ylim=(0, 102), title=title)
    axis.legend(loc="lower left", ncol=2, fontsize=8)
    return figure


ck.explore(
    at_threshold,
    alt="Precision rises and recall falls as the threshold grows; accuracy is flat near 90 percent from 0.3 on",
    threshold=np.arange(1, 20) / 20,
)

# %% [markdown]
# ### Exercise 5a.5 · A threshold for recall · ●●○ · 8 minutes
# Write `threshold_for_recall(y, probability, recall)`: the **largest** threshold $t$ such that calling all rows with
# `probability >= t` finds at least the share `recall` of the rows with `y == 1`.


# %% tags=["exercise"]
def threshold_for_recall(y, probability, recall):
    ### BEGIN SOLUTION
    positives = np.sort(probability[y == 1])[::-1]  # the largest first
    needed = int(np.ceil(recall * len(positives)))
    return positives[needed - 1]
    ### END SOLUTION


# %% tags=["check"]
ck.check("tables.threshold_for_recall", threshold_for_recall)

# %% [markdown]
# The threshold is a choice as well, so it belongs to the validation set. One more score needs none: the **ROC curve** draws,
# for all thresholds, the share of the shirts found against the share of the others called by mistake. AUC is the area
# below it.


# %%
def roc_curve(y, score):
    """Shares of the zeros and of the ones at or above each threshold, from the highest threshold down."""
    levels = np.append(np.unique(score), np.inf)[::-1]
    zeros, ones = (1 - np.searchsorted(np.sort(score[y == c]), levels) / np.sum(y == c) for c in (0, 1))
    return zeros, ones


false_alarms, found = roc_curve(y_shirt, probability)
area = np.trapezoid(found, false_alarms)
shirts_to_choose = np.sort(choosing[y_pool[6_000:] == 1])[::-1]  # validation scores of the shirts, largest first
threshold = shirts_to_choose[int(np.ceil(0.75 * len(shirts_to_choose))) - 1]
on_test = scores(y_shirt, (probability >= threshold).astype(int))
print(f"area {area:.1f}; the threshold for 75 % recall on the validation set gives {on_test[2]:.0%} on the test set")
assert np.isclose(area, metrics.roc_auc_score(y_shirt, probability)) and 0.91 < area < 0.94 and 0.7 < on_test[2] < 0.8

# %%
figure, axis = plt.subplots(figsize=(5.5, 4.2))
axis.plot(100 * false_alarms, 100 * found, label=f"network, area {area:.2f}")
axis.plot([0, 100], [0, 100], "--", color="grey", label="coin, area 0.50")
axis.plot([0], [0], "s", color="C1", label="no shirt at all", clip_on=False)
axis.set(xlabel="other clothes called shirts (%)", ylabel="shirts found (%)", title="ROC curve of the shirt finder")
axis.legend(loc="lower right")
ck.show(
    figure, alt="The ROC curve rises steeply, far above the diagonal of a coin; the rule 'no shirt' sits in its corner"
)

# %% [markdown]
# ### Exercise 5a.6 · AUC from pairs · ●●● · 10 minutes
# The same area has a second meaning: draw one row with `y == 1` and one with `y == 0`; how often has the first the higher
# score? Write `roc_auc(y, score)` from this: the share of all such pairs, where a tie counts one half.


# %% tags=["exercise"]
def roc_auc(y, score):
    ### BEGIN SOLUTION
    ones, zeros = score[y == 1][:, np.newaxis], score[y == 0]  # compared: (ones, zeros)
    return np.mean((ones > zeros) + 0.5 * (ones == zeros))
    ### END SOLUTION


# %% tags=["check"]
ck.check("tables.roc_auc", roc_auc)

# %% [markdown]
# ## Article clinic
#
# ### 05-1 · Which part is for what?
# Article a4 (2) says: the parameters are optimised on the training set, so that the score on the validation set is best. The
# training set is right, and so is the need for a second part. But the two halves of the sentence have two subjects: the
# training set moves *parameters*, the validation set chooses *hyperparameters*. Article a0 (3.3.3, 4) speaks of validation,
# and its program evaluates the test set. What is a score worth that did the choosing?
#
# We hold out two small parts, *choose* the best of $n$ models on the one, *judge* it on the other, and then swap the parts (so
# for a single model both means are equal). The models: trees that learned from the training part, and, to take the sentence
# at its word, linear rules with guessed parameters, kept for their validation score alone.

# %%
numbers, optimism = [1, 3, 10, 30, 60], {"trained trees": [], "guessed parameters": []}
for seed in range(30):
    random = np.random.default_rng(seed)
    place = random.random(len(known_names))[family]
    held, half = place < 0.2, place[place < 0.2] < 0.1
    tree = [DecisionTreeClassifier(splitter="random", random_state=k, max_features=1 + k % 8) for k in range(60)]
    sizes = random.integers(2, 60, 60)
    for one, size in zip(tree, sizes, strict=True):
        one.set_params(max_leaf_nodes=int(size)).fit(wide[~held], y[~held])
    guesses = {
        "trained trees": np.stack([one.predict(wide[held]) for one in tree], axis=1) == 1,
        "guessed parameters": prepared[held] @ random.normal(size=(9, 60)) > 0,
    }
    for name, guess in guesses.items():
        right = 100 * (guess == (y[held][:, np.newaxis] == 1))  # (rows, models)
        a, b = right[half].mean(axis=0), right[~half].mean(axis=0)
        ways = [[(v[:n].max(), t[v[:n].argmax()]) for n in numbers] for v, t in ((a, b), (b, a))]
        optimism[name].append(np.mean(ways, axis=0))  # (numbers, 2): score that chose, score that judges

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 3.8))
for axis, (name, values) in zip(axes, optimism.items(), strict=True):
    chosen, judged = np.mean(values, axis=0).T
    axis.semilogx(numbers, chosen, "o-", label="validation score, which chose")
    axis.semilogx(numbers, judged, "s--", label="score on the other part")
    axis.set(title=f"Best of n {name}", xlabel="n (models to choose from)", ylabel="accuracy (%)", xticks=numbers)
    axis.set_xticklabels(numbers)
    axis.legend(fontsize=8)
    gap = np.array(values)[:, :, 0] - np.array(values)[:, :, 1]  # (splits, numbers)
    print(f"{name:18} best of 60: validation score too high by ≈ {gap[:, -1].mean():.1f} points")
    assert 2.5 < gap[:, -1].mean() < 5.5 and np.all(np.diff(gap.mean(axis=0)[[0, 1, -1]]) > 0)
ck.show(
    figure, alt="The validation score of the best of n models grows with n and rises above its score on unseen rows"
)

# %% [markdown]
# **Right:** three roles. The training set moves the parameters, by the gradient of the loss. The validation set chooses
# among models, and choosing uses its score up: the best of 60 looked three to five points too good here. The test set judges
# one model, once.
#
# ## Recap
#
# - Baselines first: 66 % without looking, 77 % from one column, about 82 % from two columns, and no more from a small network;
#   ± 3 from split to split.
# - Gaps, text and scales live inside the saved model; it learns them from the training set.
# - Leaks add from next to nothing (scaling, here) to over ten points (a column from the future) that are not there in use.
#   Split first, by family.
# - A rare class needs precision, recall, F1 or AUC; the threshold is your choice, made on the validation set.
# - A score that has chosen is no judge.
#
# ### Quiz

# %% tags=["quiz"]
ck.quiz("tables.adapt")

# %% tags=["quiz"]
ck.quiz("tables.copies")

# %% tags=["quiz"]
ck.quiz("tables.rare")

# %% tags=["quiz"]
ck.quiz("tables.report")

# %% [markdown]
# ### References
#
# - Hanley, McNeil (1982). The meaning and use of the area under a receiver operating characteristic (ROC) curve. Radiology 143.
# - Ambroise, McLachlan (2002). Selection bias in gene extraction on the basis of microarray gene-expression data. PNAS 99.
# - Fawcett (2006). An introduction to ROC analysis. Pattern Recognition Letters 27.
# - Cawley, Talbot (2010). On over-fitting in model selection and subsequent selection bias in performance evaluation. JMLR 11.
# - Kaufman, Rosset, Perlich, Stitelman (2012). Leakage in data mining: formulation, detection, and avoidance. ACM TKDD 6.
# - Xiao, Rasul, Vollgraf (2017). Fashion-MNIST. arXiv:1708.07747
#
# ### What is left to do

# %% tags=["setup"]
ck.progress("tables")
