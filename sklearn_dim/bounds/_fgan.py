"""The f-GAN family, E_p[g(v)] − E_q[f*(g(v))] ≤ D_f(p, q) (Nowozin et al., NeurIPS 2016, tables 1, 2 and 6).

A critic's score is v; g maps it into the domain of the conjugate f*. The second term is written as one function of v
that is safe in float32. KL is NWJ (`_nwj.py`), JS is JSD (`_jsd.py`). Divergences that depend on powers of the ratio
clip log-ratios at ±20 nats.
"""

from dataclasses import dataclass

from torch import Tensor, expm1, log1p
from torch.nn.functional import softplus

from sklearn_dim._arguments import checked
from sklearn_dim.bounds._base import Bound, log_mean_exp

LIMIT = 20.0  # nats; e^(2·20) is well within float32


@dataclass
class ReverseKL(Bound):
    """Reverse KL, KL(q ‖ p): E_p[−e^{−v}] − E_q[v − 1]; the optimal v is log p/q."""

    def objective(self, joint: Tensor, marginal: Tensor) -> Tensor:
        """Return the bound's value in nats, to be maximised."""
        return -log_mean_exp(-joint).exp() - (marginal - 1).mean()

    def score(self, log_ratio: Tensor) -> Tensor:
        """Return the score that means a log p/q."""
        return log_ratio.clamp(-LIMIT, LIMIT)


@checked(floor="(0, inf)")
@dataclass
class Pearson(Bound):
    """Pearson χ²: E_p[v] − E_q[v²/4 + v]; the optimal v is 2(p/q − 1).

    Scores at or below −2 correspond to no ratio; as a log-ratio they become the log of ``floor``.
    """

    floor: float = 1e-6

    def objective(self, joint: Tensor, marginal: Tensor) -> Tensor:
        """Return the bound's value in nats, to be maximised."""
        return joint.mean() - (marginal.square() / 4 + marginal).mean()

    def log_ratio(self, scores: Tensor, marginal: Tensor) -> Tensor:
        """Return log p/q from scores."""
        return log1p((scores / 2).clamp(min=self.floor - 1))

    def score(self, log_ratio: Tensor) -> Tensor:
        """Return the score that means a log p/q."""
        return 2 * expm1(log_ratio.clamp(max=LIMIT))


@dataclass
class Neyman(Bound):
    """Neyman χ²: E_p[1 − e^{−v}] − E_q[2 − 2e^{−v/2}]; the optimal v is 2 log p/q."""

    def objective(self, joint: Tensor, marginal: Tensor) -> Tensor:
        """Return the bound's value in nats, to be maximised."""
        return 1 - log_mean_exp(-joint).exp() - 2 + 2 * log_mean_exp(-marginal / 2).exp()

    def log_ratio(self, scores: Tensor, marginal: Tensor) -> Tensor:
        """Return log p/q from scores."""
        return scores / 2

    def score(self, log_ratio: Tensor) -> Tensor:
        """Return the score that means a log p/q."""
        return 2 * log_ratio.clamp(-LIMIT, LIMIT)


@dataclass
class Hellinger(Bound):
    """Squared Hellinger: E_p[1 − e^{−v}] − E_q[e^v − 1]; the optimal v is ½ log p/q."""

    def objective(self, joint: Tensor, marginal: Tensor) -> Tensor:
        """Return the bound's value in nats, to be maximised."""
        return 2 - log_mean_exp(-joint).exp() - log_mean_exp(marginal).exp()

    def log_ratio(self, scores: Tensor, marginal: Tensor) -> Tensor:
        """Return log p/q from scores."""
        return 2 * scores

    def score(self, log_ratio: Tensor) -> Tensor:
        """Return the score that means a log p/q."""
        return log_ratio.clamp(-LIMIT, LIMIT) / 2


@dataclass
class GAN(Bound):
    """The GAN value, 2·JSD − log 4: E_p[−sp(−v)] − E_q[sp(v)]; the optimal v is log p/q."""

    def objective(self, joint: Tensor, marginal: Tensor) -> Tensor:
        """Return the bound's value in nats, to be maximised."""
        return -softplus(-joint).mean() - softplus(marginal).mean()
