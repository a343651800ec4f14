"""Softmax regression: the objective of scikit-learn's LogisticRegression, minimized in bounded memory.

scikit-learn holds the probabilities of all rows at once (14 GB for 182,000 rows and 9,809 classes). Here loss and
gradient are summed over chunks of rows, so only one chunk of probabilities exists at a time.
"""

import contextlib
import dataclasses
from collections.abc import Iterator

import numpy as np
import scipy.optimize
import tensorflow as tf
from tqdm import tqdm

from lrfr_tf.errors import UserError

ABSENT_BIAS = -1e4  # exp(-1e4) is zero in float32, and the value itself still fits into float16

# Up to so many logits (rows * classes) the arithmetic is float64. Beyond, float32 halves time and memory; its rounding
# of the loss then ends the search a little early, with probabilities up to about 1e-3 from the exact ones.
FLOAT64_LOGITS = 2**27


@dataclasses.dataclass(frozen=True)
class LogisticFit:
    """A fitted softmax regression.

    Attributes:
        kernel: float32 [D, classes]; zeros for a class without a training row.
        bias: float32 [classes]; `ABSENT_BIAS` for a class without a training row.
        loss: the objective where it stopped.
        iterations: L-BFGS iterations made.
        converged: whether the gradient fell below the tolerance, or the loss stopped falling, within the limits.
    """

    kernel: np.ndarray
    bias: np.ndarray
    loss: float
    iterations: int
    converged: bool


class LogisticObjective:
    """Mean cross-entropy + |kernel|^2 / (2 C n), and its gradient; the bias is free of the penalty.

    That is scikit-learn's objective, C * sum of cross-entropies + |kernel|^2 / 2, divided by C n.

    Args:
        embeddings: float32 [n, D].
        labels: int [n] in 0 .. classes - 1.
        classes: number of classes K.
        C: inverse strength of the penalty, > 0.
        chunk: rows per step; one chunk of logits takes 4 (float32) or 8 * chunk * K bytes, and a few exist at once.
    """

    def __init__(self, embeddings: np.ndarray, labels: np.ndarray, classes: int, C: float, *, chunk: int) -> None:  # noqa: N803
        self.embeddings = embeddings
        self.rows, self.dimensions = embeddings.shape
        self.classes = classes
        self.penalty = 1.0 / (C * self.rows)
        self.chunk = chunk
        self.dtype: type = np.float64 if self.rows * classes <= FLOAT64_LOGITS else np.float32
        # The true classes enter loss and gradient only through these two sums, which do not change while fitting.
        self.class_counts = np.bincount(labels, minlength=classes).astype(np.float64)
        self.class_sums = np.zeros((self.dimensions, classes))
        np.add.at(self.class_sums.T, labels, self.embeddings)

    def split(self, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Views of the flat parameters [(D + 1) K]: kernel [D, K] and bias [K]."""
        return parameters[: -self.classes].reshape(self.dimensions, self.classes), parameters[-self.classes :]

    def gradient_at_zero(self) -> float:
        """The largest entry of the gradient at zero parameters, where every class has probability 1 / K."""
        kernel = self.embeddings.sum(axis=0, dtype=np.float64)[:, None] / self.classes - self.class_sums
        bias = self.rows / self.classes - self.class_counts
        return float(max(np.abs(kernel).max(), np.abs(bias).max())) / self.rows

    def __call__(self, parameters: np.ndarray) -> tuple[float, np.ndarray]:
        """Loss and gradient (float64, flat) at flat float64 parameters: one pass over the embeddings.

        Matrix products are of `dtype`; sums over chunks are float64.
        """
        kernel, bias = self.split(parameters)
        rounded_kernel: np.ndarray = kernel.astype(self.dtype)
        rounded_bias: np.ndarray = bias.astype(self.dtype)
        gradient = np.empty_like(parameters)
        kernel_gradient, bias_gradient = self.split(gradient)
        kernel_gradient[...] = -self.class_sums
        bias_gradient[...] = -self.class_counts
        loss = -float(np.sum(rounded_kernel * self.class_sums) + np.sum(rounded_bias * self.class_counts))
        on_device = tf.constant(rounded_kernel), tf.constant(rounded_bias)
        for start in range(0, self.rows, self.chunk):
            chunk = tf.constant(self.embeddings[start : start + self.chunk].astype(self.dtype))
            log_sum, kernel_part, bias_part = _log_sum_and_gradient(chunk, *on_device)
            loss += float(log_sum)
            kernel_gradient += kernel_part.numpy()
            bias_gradient += bias_part.numpy()
        gradient /= self.rows
        kernel_gradient += self.penalty * kernel
        return loss / self.rows + 0.5 * self.penalty * float(np.sum(kernel**2)), gradient


def fit_logistic(
    embeddings: np.ndarray,
    labels: np.ndarray,
    classes: int,
    *,
    C: float = 10.0,  # noqa: N803
    chunk: int = 4096,
    max_iterations: int = 1000,
    tolerance: float = 1e-5,
) -> LogisticFit:
    """Fits softmax regression by L-BFGS on all rows, starting at zero.

    A class without a training row stays in the result. The minimum of the objective has its bias at minus infinity;
    it gets `ABSENT_BIAS`, so its probability is zero and the other classes are as if it did not exist.

    Args:
        embeddings: float32 [n, D].
        labels: int64 [n], in 0 .. classes - 1.
        classes: number of classes.
        C: inverse strength of the L2 penalty, as in scikit-learn.
        chunk: rows per step; memory grows with chunk * classes, the result does not depend on it.
        max_iterations: limit on L-BFGS iterations.
        tolerance: stop when the largest entry of the gradient is below `tolerance` times that at the start. A limit
            that is not relative (scikit-learn's is 1e-4) stops at once when there are thousands of classes, because
            the gradient of a mean over rows shrinks with 1 / classes.

    Raises:
        UserError: there are no rows.
    """
    if len(embeddings) == 0:
        raise UserError("There is no training row to fit softmax regression on.")
    present, compact_labels = np.unique(labels, return_inverse=True)
    objective = LogisticObjective(embeddings, compact_labels, len(present), C, chunk=chunk)
    start = np.zeros((objective.dimensions + 1) * len(present))
    options = {
        "maxiter": max_iterations,
        "maxfun": 10 * max_iterations,
        "maxls": 50,
        "ftol": 64 * np.finfo(float).eps,
        "gtol": tolerance * objective.gradient_at_zero(),
    }
    with tqdm(total=max_iterations, desc="softmax regression", unit="iteration", leave=False) as progress:

        def show(intermediate_result: scipy.optimize.OptimizeResult) -> None:
            progress.update()
            progress.set_postfix(loss=f"{intermediate_result.fun:.6f}")

        with _full_float32():
            result = scipy.optimize.minimize(
                objective, start, jac=True, method="L-BFGS-B", callback=show, options=options
            )
    kernel = np.zeros((objective.dimensions, classes), np.float32)
    bias = np.full(classes, ABSENT_BIAS, np.float32)
    kernel[:, present], bias[present] = objective.split(result.x)
    return LogisticFit(kernel, bias, float(result.fun), int(result.nit), bool(result.success))


@tf.function(reduce_retracing=True)
def _log_sum_and_gradient(
    chunk: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Sum of log-sum-exp over the rows of a chunk (float64), and its gradients for kernel and bias."""
    logits = tf.matmul(chunk, kernel) + bias
    largest = tf.reduce_max(logits, axis=1, keepdims=True)
    exponentials = tf.exp(logits - largest)
    sums = tf.reduce_sum(exponentials, axis=1, keepdims=True)
    log_sum = tf.reduce_sum(tf.math.log(tf.cast(sums, tf.float64)) + tf.cast(largest, tf.float64))
    # Dividing the rows of the chunk by their sum, and not the far larger exponentials, saves one array of their size.
    kernel_gradient = tf.matmul(chunk / sums, exponentials, transpose_a=True)
    bias_gradient = tf.matmul(1.0 / sums, exponentials, transpose_a=True)
    return log_sum, kernel_gradient, bias_gradient[0]


@contextlib.contextmanager
def _full_float32() -> Iterator[None]:
    """Keeps a GPU from rounding the factors of matrix products to 10 bits (TensorFloat-32)."""
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)
