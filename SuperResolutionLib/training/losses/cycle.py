"""The losses of two generators that undo each other: G from low to high resolution, F from high to low; work D.

x is a low-resolution image and y a high-resolution one, (n, c, h, w). Each image is only compared with itself, so
that x and y need not belong together (GAN-CIRCLE, You 2018).
"""

import torch
from torch.nn.functional import l1_loss


def cycle_consistency(x: torch.Tensor, x_cycled: torch.Tensor, y: torch.Tensor, y_cycled: torch.Tensor) -> torch.Tensor:
    """Mean |F(G(x)) - x| + mean |G(F(y)) - y|: there and back again leaves an image as it was.

    x_cycled: F(G(x)). y_cycled: G(F(y)).
    """
    return l1_loss(x_cycled.float(), x.float()) + l1_loss(y_cycled.float(), y.float())


def identity(x: torch.Tensor, f_of_x: torch.Tensor, y: torch.Tensor, g_of_y: torch.Tensor) -> torch.Tensor:
    """Mean |F(x) - x| + mean |G(y) - y|: a generator leaves alone what already is what it makes.

    f_of_x: F(x). g_of_y: G(y). For generators that keep the size of an image, as work D's.
    """
    return l1_loss(f_of_x.float(), x.float()) + l1_loss(g_of_y.float(), y.float())
