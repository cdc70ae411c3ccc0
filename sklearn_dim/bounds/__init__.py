"""Bounds on mutual information: one formula per file; score tables in, nats out.

========== ==================================================== =============
name       what it bounds                                       source
========== ==================================================== =============
dv         I                                                    `_dv.py`
nwj, kl    I                                                    `_nwj.py`
tuba       I                                                    `_tuba.py`
infonce    min(I, log K)                                        `_infonce.py`
i_alpha    min(I, 1 + log(K/α))                                 `_i_alpha.py`
flo        I, with two critics                                  `_flo.py`
jsd        2·JSD(p, q)                                          `_jsd.py`
smile      2·JSD(p, q), with a clipped value that is no bound   `_smile.py`
rkl        KL(q ‖ p)                                            `_fgan.py`
pearson    Pearson's χ²                                         `_fgan.py`
neyman     Neyman's χ²                                          `_fgan.py`
hellinger  squared Hellinger distance                           `_fgan.py`
gan        2·JSD(p, q) − log 4                                  `_fgan.py`
========== ==================================================== =============
"""

from sklearn_dim.bounds._base import BOUNDS, Bound, log_mean_exp, make_bound
from sklearn_dim.bounds._dv import DV
from sklearn_dim.bounds._fgan import GAN, Hellinger, Neyman, Pearson, ReverseKL
from sklearn_dim.bounds._flo import FLO
from sklearn_dim.bounds._i_alpha import IAlpha
from sklearn_dim.bounds._infonce import InfoNCE
from sklearn_dim.bounds._jsd import JSD
from sklearn_dim.bounds._nwj import NWJ
from sklearn_dim.bounds._smile import Smile
from sklearn_dim.bounds._tuba import TUBA

BOUNDS |= {
    "dv": DV,
    "nwj": NWJ,
    "jsd": JSD,
    "infonce": InfoNCE,
    "smile": Smile,
    "tuba": TUBA,
    "i_alpha": IAlpha,
    "flo": FLO,
    "kl": NWJ,
    "rkl": ReverseKL,
    "pearson": Pearson,
    "neyman": Neyman,
    "hellinger": Hellinger,
    "gan": GAN,
}

# For users; what else is imported above is for the estimators.
__all__ = [
    "BOUNDS",
    "DV",
    "FLO",
    "GAN",
    "JSD",
    "NWJ",
    "Smile",
    "TUBA",
    "Bound",
    "Hellinger",
    "IAlpha",
    "InfoNCE",
    "Neyman",
    "Pearson",
    "ReverseKL",
    "log_mean_exp",
]
