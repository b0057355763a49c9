"""Live progress while a model trains, and several runs of one compiled model."""

import copy
import hashlib
import inspect
import numbers
import random
import warnings
import weakref

import IPython
import IPython.display
import keras

from coursekit import places


class LiveProgress(keras.callbacks.Callback):
    """Use with `model.fit(..., verbose=0, callbacks=[ck.LiveProgress()])`.

    While the model trains a bar counts the epochs (it is a widget and leaves nothing behind in the stored notebook);
    afterwards one line says how it ended; its numbers stand after ≈, for they may differ on other machines.
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
        parts += [f"{name} ≈ {value:.{self.digits}f}" for name, value in self.last.items()]
        print(" · ".join(parts))


_BEGUN = weakref.WeakKeyDictionary()  # model: (its optimizer, [(variable, sha256)]) as its last restart left them
_RATES = weakref.WeakKeyDictionary()  # optimizer: its learning rate at its first restart


def restart(model, seed):
    """Begin again with a compiled model, for several runs of one network without compiling again.

    Weights, dropout seeds and the optimizer's memory become fresh, as `seed` (an integer from 0 on) draws them; the
    compiled training step is kept. Bit for bit, `restart(model, 3)` and `fit` give what `restart(build(), 3)` and `fit`
    give, whatever was trained or drawn before: all random numbers start from `seed`, the order of the batches too.

    - What `adapt` learnt stays. An initializer with a seed of its own draws the same weights in every run.
    - The learning rate goes back to what it was at the first restart, so change it afterwards. A schedule stays.
    - Only what the model owns begins again. Make a shuffling `tf.data` pipeline after the restart; in a layer, draw
      with a `keras.random.SeedGenerator` that is an attribute of it.
    - Weights that were loaded or set are refused, for they would be lost: load them after the restart. Noticed are
      weights that differ, before any training, from what the initializers drew, and an optimizer whose steps were made
      elsewhere. Of a model that was trained before its first restart only the frozen weights are compared. Weights
      loaded after a training, such as those of its best epoch, belong to that run and are not refused.

    Raises CourseError, and changes nothing of the model, when it is not compiled, has no weights yet, holds loaded
    weights, or has a layer or an optimizer that cannot be made anew from its settings.
    """
    if not isinstance(seed, numbers.Integral) or not 0 <= seed < 2**32:
        raise places.CourseError(f"the seed of a restart is a whole number from 0 on, not {seed!r}.")
    if not isinstance(model, keras.Model) or not model.compiled:
        raise places.CourseError("ck.restart takes a compiled Keras model: call its compile(...) first.")
    if not model.built:
        raise places.CourseError("the model has no weights yet: begin it with keras.Input(...), or call it on a batch.")
    owners = [layer for layer in model._flatten_layers() if _own(layer) and not hasattr(layer, "adapt")]
    if _holds_loaded_weights(model, owners):
        raise places.CourseError(
            "the weights of this model were loaded or set, and a restart would throw them away: "
            "build the model anew, restart it, and load them after that."
        )
    keras.utils.set_random_seed(int(seed))
    begun = set()
    drawn = [triple for layer in owners for triple in _drawn(layer, lambda live: _renewed(live, begun))]
    for variable, value in [triple[:2] for triple in drawn] + _first_state(model.optimizer):
        variable.assign(value)
    if isinstance(model.optimizer.learning_rate, keras.Variable):
        first = _RATES.setdefault(model.optimizer, float(model.optimizer.learning_rate))
        model.optimizer.learning_rate = first
    for layer in model._flatten_layers():
        if getattr(layer, "stateful", False):  # a recurrent layer that goes on from batch to batch
            layer.reset_state()
    model.reset_metrics()
    model.history = None  # fit sets it: as long as it is None, nothing was trained since
    weights = [(variable, _digest(value)) for variable, value, learns in drawn if learns]
    _BEGUN[model] = (weakref.ref(model.optimizer), weights)
    keras.utils.set_random_seed(int(seed))  # what follows shall not depend on how many numbers the weights took


def _own(layer):
    """Variables of a layer, seeds of random numbers included, that do not belong to its sublayers."""
    parts = layer._flatten_layers(include_self=False, recursive=False)
    theirs = {id(variable) for part in parts for variable in part.variables}
    return [variable for variable in layer.variables if id(variable) not in theirs]


def _drawn(layer, renew):
    """[(variable of the layer, value drawn anew, whether gradients may change it)].

    The values come from a second layer with the same settings and shapes. renew: what to make of an initializer.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras warns of a lambda when it is asked for the settings
        try:
            config = _settings(layer)
            for name in config:
                live = getattr(layer, name, None)
                if callable(live) and not isinstance(live, keras.Layer):  # no way back from its name may be known
                    config[name] = renew(live) if isinstance(live, keras.Initializer) else live
            second = type(layer).from_config(config)
            if len(_own(second)) < len(_own(layer)):
                second.build_from_config(layer.get_build_config())
            second.trainable = True
            learn = {id(variable) for variable in second.trainable_variables}
            return [(mine, value, id(other) in learn) for mine, value, other in _paired(_own(layer), _own(second))]
        except Exception as error:
            raise places.CourseError(
                f"the layer {layer.name!r} cannot be made anew: its class {type(layer).__name__} needs a get_config() "
                f"with all that its __init__ takes ({type(error).__name__})."
            ) from error


def _settings(layer):
    """What a layer's class takes to make a second one: `get_config()`, or the attributes named as its arguments."""
    arguments = inspect.signature(layer.__init__).parameters
    any_name = any(one.kind is one.VAR_KEYWORD for one in arguments.values())
    try:
        config = layer.get_config()
    except NotImplementedError:  # Keras asks for a get_config() when an argument is more than a number or a text
        config = {name: getattr(layer, name) for name, one in arguments.items() if one.kind is not one.VAR_KEYWORD}
    if any(isinstance(value, keras.Layer) for value in keras.tree.flatten(config)):
        raise TypeError("a second layer would share a sublayer with the first")
    of_every_layer = set() if any_name else {"name", "trainable", "dtype"} - set(arguments)
    return {name: value for name, value in config.items() if name not in of_every_layer}


def _paired(variables, others):
    """[(variable, value of the other, the other)]; raises ValueError when number or shapes differ."""
    pairs = list(zip(variables, others, strict=True))
    if any(mine.shape != other.shape for mine, other in pairs):
        raise ValueError("other shapes than before")
    return [(mine, other.numpy(), other) for mine, other in pairs]


def _renewed(initializer, begun):
    """The initializer so that it draws anew, unless it has a fixed seed. begun: ids of the generators seen so far."""
    seed = getattr(initializer, "seed", None)
    if isinstance(seed, keras.random.SeedGenerator):  # layers that share it draw from it one after another
        if id(seed) not in begun:
            begun.add(id(seed))
            first = seed.get_config()["seed"]
            seed.state.assign([random.randint(1, 10**9) if first is None else first, 0])
    elif seed is not None and initializer.get_config().get("seed", seed) is None:  # drawn when it was made
        initializer = copy.copy(initializer)
        initializer.seed = random.randint(1, 10**9)
    return initializer


def _first_state(optimizer):
    """[(variable of the optimizer, its value before the first step)], without the learning rate."""
    try:
        second = _second(optimizer)
        if optimizer.built:
            second.build(optimizer._trainable_variables)
        memory, fresh = ([v for v in one.variables if v.name != "learning_rate"] for one in (optimizer, second))
        return [(mine, value) for mine, value, _ in _paired(memory, fresh)]
    except Exception as error:
        raise places.CourseError(
            f"the optimizer cannot be made anew: its class {type(optimizer).__name__} must keep what its __init__ "
            f"takes in attributes of the same names ({type(error).__name__})."
        ) from error


def _second(optimizer):
    """An optimizer with the same settings, not built; its learning rate counts for nothing."""
    names = inspect.signature(optimizer.__init__).parameters
    settings = {name: getattr(optimizer, name) for name in names if hasattr(optimizer, name)}
    for name, value in settings.items():
        if name == "learning_rate" or isinstance(value, keras.optimizers.Optimizer):  # one that scales another's loss
            settings[name] = 0.0 if name == "learning_rate" else _second(value)
    return type(optimizer)(**settings)


def _holds_loaded_weights(model, owners):
    """Whether the weights are other ones than were drawn, and not because of a training."""
    optimizer, weights = _BEGUN.get(model, (None, None))
    trained = getattr(model, "history", None) is not None
    steps = int(model.optimizer.iterations) > 0
    if weights is not None:
        if trained or steps or optimizer() is not model.optimizer:
            return False
        return any(_digest(variable.numpy()) != digest for variable, digest in weights)
    trained = trained or model.train_function is not None
    if steps and not trained:
        return True
    changed_by_training = {id(variable) for variable in model.trainable_variables if trained}
    for layer in owners:
        # As the layer was built: with its own initializers, whose seeds were drawn when they were made. Twice, for
        # what differs between two such draws cannot be known.
        first, second = _drawn(layer, lambda live: live), _drawn(layer, lambda live: live)
        for (variable, value, learns), (_, other, _) in zip(first, second, strict=True):
            known = learns and id(variable) not in changed_by_training and _digest(value) == _digest(other)
            if known and _digest(value) != _digest(variable.numpy()):
                return True
    return False


def _digest(array):
    return hashlib.sha256(array.tobytes()).digest()
