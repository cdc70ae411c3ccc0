"""What this package relies on in skorch beyond its documented interface, in one place.

It was read from the versions below; ``tests/training/test_skorch.py`` tests each entry on the installed one, and fails
with its name where skorch has changed.
"""

READ_FROM = ("1.1.0", "1.4.0")  # the oldest and the newest version that was read

RELIED_ON = {
    "NeuralNet._default_callbacks": "a property, overridden to leave out skorch's losses; get_params reads it too",
    "NeuralNet._initialize_callbacks": "makes callbacks_ of _default_callbacks and callbacks, and nothing else",
    "NeuralNet.callbacks_": "(name, callback) in the order of their calls: the default ones first, PrintLog last",
    "NeuralNet.notify": "calls the net's own method before those of the callbacks; overridden to hold Ctrl-C back",
    "NeuralNet.fit_loop": "calls run_single_epoch with keywords, also to validate; on_epoch_begin adds a row",
    "NeuralNet.partial_fit": "takes KeyboardInterrupt for the end of training; other errors leave without on_train_end",
    "NeuralNet.train_step": "sets gradients to zero, calls train_step_single once and lets the optimizer step",
    "NeuralNet.forward_iter": "overridden to refuse; forward, predict and predict_proba call it first",
    "NeuralNet.__setattr__": "refuses modules after initialize(), so that averaged_ is written to __dict__",
    "NeuralNet.__dict__": "has all settings and parts; snapshot() copies it, restore() puts it back",
    "NeuralNet.optimizer__param_groups": "a list of (pattern, options), read whenever the optimizer is made",
    "History": "a list with one dict per epoch, which has the key 'batches'",
    "EpochTimer": "records 'dur' at the end of an epoch, so that a row without it belongs to an interrupted one",
}
