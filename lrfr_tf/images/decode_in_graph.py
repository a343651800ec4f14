"""JPEG, PNG and BMP bytes -> RGB uint8 of one size, as TensorFlow operations: the guarded decoder of exported models.

The order is that of `decode`: magic bytes tell the format, the header tells the size, the size is held against a
budget, and only then is anything decoded. Each refusal is an `InvalidArgumentError`, which TF-Serving hands to the
client as it stands. EXIF rotation, WebP and PGM are left to `decode`.
"""

import tensorflow as tf

from lrfr_tf.images.limits import LONGEST_SIDE, MOST_IMAGES, PIXEL_BUDGET_IN_GRAPH
from lrfr_tf.images.resize import resize_in_graph

JPEG, PNG, BMP, UNKNOWN = range(4)
MAGIC = {
    JPEG: b"\xff\xd8\xff",
    PNG: b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR",  # with the head of the first chunk, which must be the one with the size
    BMP: b"BM",
}
HEADER_BYTES = 66
BMP_FILE_HEADER = 14  # bytes before the header with the size
BMP_HEADER_LENGTHS = [40, 52, 56, 64, 108, 124]
BMP_UNCOMPRESSED, BMP_BIT_FIELDS = 0, 3
# Which bits of a 32-bit pixel are red, green and blue: the usual order, and the only one that TensorFlow knows.
BMP_COLOR_MASKS = b"\0\0\xff\0" + b"\0\xff\0\0" + b"\xff\0\0\0"


def decode_and_resize(image_bytes: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Decodes image files and resizes each like Pillow (see `resize`).

    Args:
        image_bytes: string [N], whole files of any sizes.

    Returns:
        uint8 [N, height, width, 3], RGB.

    Raises:
        tf.errors.InvalidArgumentError: when it runs, see `decode_in_graph`; or there are more than MOST_IMAGES.
    """
    shape = tf.shape(image_bytes)
    # Neither TF-Serving nor a loaded signature looks at the rank; what is missing, and what should be, is -1 here.
    count, more = tf.unstack(tf.concat([shape, [-1, -1]], 0)[:2])
    message = tf.strings.format(
        f"image_bytes must be [N] with at most {MOST_IMAGES:,} files, not {{}}.", shape, summarize=8
    )
    right = (count >= 0) & (count <= MOST_IMAGES) & (more < 0)
    with tf.control_dependencies([tf.debugging.Assert(right, [message])]):
        image_bytes = tf.identity(image_bytes)
    return tf.map_fn(
        lambda data: resize_in_graph(decode_in_graph(data)[None], height, width)[0],
        image_bytes,
        fn_output_signature=tf.TensorSpec((height, width, 3), tf.uint8),
        parallel_iterations=1,  # a batch needs no more memory than its largest image
    )


def decode_in_graph(data: tf.Tensor) -> tf.Tensor:
    """Decodes one image file: string [] -> RGB uint8 [H, W, 3], with the colors that `decode_image` gives.

    Alpha is dropped, grey and palettes become RGB, of 16 bits the high byte is kept. BMP files are those of 24 and 32
    bits a pixel and palettes of 8, uncompressed.

    Raises:
        tf.errors.InvalidArgumentError: when it runs: empty, of another format (GIF included), over the budget,
            truncated or damaged.
    """
    header = _header(data)
    kind = tf.constant(UNKNOWN)
    for number, magic in MAGIC.items():
        kind = tf.where(_has_magic(header, 0, magic), number, kind)
    check = tf.debugging.Assert(kind != UNKNOWN, ["An image is empty or not a JPEG, PNG or BMP file, and is refused."])
    with tf.control_dependencies([check]):
        kind = tf.identity(kind)
    return tf.switch_case(
        kind,
        {
            JPEG: lambda: _decode_jpeg(data),
            PNG: lambda: _decode_png(data, header),
            BMP: lambda: _decode_bmp(data, header),
        },
    )


def _decode_jpeg(data: tf.Tensor) -> tf.Tensor:
    shape = tf.cast(tf.image.extract_jpeg_shape(data), tf.int64)
    data = _within_budget(data, shape[1], shape[0])
    # The accurate transform is Pillow's; TensorFlow's own choice is a faster, coarser one.
    return tf.image.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE")


def _decode_png(data: tf.Tensor, header: tf.Tensor) -> tf.Tensor:
    width, height = (_number(header[start : start + 4][::-1]) for start in (16, 20))  # the highest byte comes first
    return tf.image.decode_png(_within_budget(data, width, height), channels=3)


def _decode_bmp(data: tf.Tensor, header: tf.Tensor) -> tf.Tensor:
    header_length, width, height = _number(header[14:18]), _number(header[18:22]), _number(header[22:26])
    bits, compression, colors = _number(header[28:30]), _number(header[30:34]), _number(header[46:50])
    height = tf.where(height < 2**31, height, 2**32 - height)  # negative: the first row is the top one
    plain = (compression == BMP_UNCOMPRESSED) & ((bits == 8) | (bits == 24) | (bits == 32))
    masked = (compression == BMP_BIT_FIELDS) & (bits == 32) & _has_magic(header, 54, BMP_COLOR_MASKS)
    check = tf.debugging.Assert(
        (plain | masked) & tf.reduce_any(header_length == BMP_HEADER_LENGTHS) & (colors <= 256),
        ["A BMP file is refused: 8, 24 or 32 bits a pixel are read, without compression, and no other kind."],
    )
    with tf.control_dependencies([check]):
        data = _within_budget(data, width, height)
    # Otherwise `substr` below might complain first, and quote the file's bytes, which are no text.
    length, row = tf.cast(tf.strings.length(data), tf.int64), (bits // 8 * width + 3) // 4 * 4
    whole = tf.debugging.Assert(
        (header_length + BMP_FILE_HEADER <= length) & (_number(header[10:14]) + row * height == length),
        ["A BMP file is refused: it is shorter or longer than its pixels."],
    )
    with tf.control_dependencies([whole]):
        data = tf.identity(data)

    def from_palette() -> tf.Tensor:
        count = tf.where(colors == 0, tf.constant(256, tf.int64), colors)
        palette = tf.io.decode_raw(tf.strings.substr(data, header_length + BMP_FILE_HEADER, 4 * count), tf.uint8)
        return tf.gather(tf.reshape(palette, (-1, 4))[:, 2::-1], tf.cast(tf.image.decode_bmp(data)[..., 0], tf.int32))

    return tf.cond(bits == 8, from_palette, lambda: tf.image.decode_bmp(data)[..., :3])


def _header(data: tf.Tensor) -> tf.Tensor:
    """The first bytes of a file as int64 [HEADER_BYTES]; zeros where it ends sooner, which is no size of any image."""
    found = tf.cast(tf.io.decode_raw(tf.strings.substr(data, 0, HEADER_BYTES), tf.uint8), tf.int64)
    return tf.ensure_shape(tf.pad(found, [[0, HEADER_BYTES - tf.size(found)]]), (HEADER_BYTES,))


def _has_magic(header: tf.Tensor, start: int, expected: bytes) -> tf.Tensor:
    return tf.reduce_all(header[start : start + len(expected)] == list(expected))


def _number(digits: tf.Tensor) -> tf.Tensor:
    """Bytes, the lowest first, as one number without sign."""
    return tf.reduce_sum(digits * [256**place for place in range(digits.shape[0])])


def _within_budget(data: tf.Tensor, width: tf.Tensor, height: tf.Tensor) -> tf.Tensor:
    """The same bytes, but nobody can use them before the size has been checked."""
    longest = tf.maximum(width, height)
    fits = (tf.minimum(width, height) > 0) & (longest <= LONGEST_SIDE) & (width * height <= PIXEL_BUDGET_IN_GRAPH)
    limit = f"{PIXEL_BUDGET_IN_GRAPH:,} are allowed, and {LONGEST_SIDE:,} a side."
    message = tf.strings.format("An image is refused: it has {} x {} pixels; " + limit, (width, height))
    check = tf.debugging.Assert(fits, [message])
    with tf.control_dependencies([check]):
        return tf.identity(data)
