"""Devices: how data get there, whether they fit, and what a device can do."""

# "as" marks what the other rooms use but users need not.
from sklearn_dim.devices._abilities import has_autocast as has_autocast
from sklearn_dim.devices._abilities import has_fused_adam as has_fused_adam
from sklearn_dim.devices._abilities import without_autocast as without_autocast
from sklearn_dim.devices._memory import explained_memory as explained_memory
from sklearn_dim.devices._memory import fits as fits
from sklearn_dim.devices._precision import full_precision as full_precision
from sklearn_dim.devices._transfer import copies_while_the_host_goes_on as copies_while_the_host_goes_on
from sklearn_dim.devices._transfer import one_ahead as one_ahead
from sklearn_dim.devices._transfer import to_device as to_device

__all__: list[str] = []
