"""One real kernel for all tests of a module, with the extension loaded and a home of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.notebook.kernels import Kernel


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the module's kernel runs."""
    return tmp_path_factory.mktemp("notebook")


@pytest.fixture(scope="module")
def kernel_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's folder of the module's kernel. A module may override it to write settings first."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def model() -> str:
    """Who answers where a test names nobody."""
    return "demo/echo"


@pytest.fixture(scope="module")
def shared_kernel(folder: Path, kernel_home: Path, model: str) -> Iterator[Kernel]:
    kernel = Kernel(folder, kernel_home)
    try:
        ran = kernel.run(f"%load_ext valechat\n%valechat use {model}")
        assert not ran.error, ran.traceback
        yield kernel
    finally:
        kernel.close()


@pytest.fixture
def kernel(shared_kernel: Kernel) -> Kernel:
    """The module's kernel at the beginning of a new conversation."""
    ran = shared_kernel.run("%valechat new")
    assert not ran.error, ran.traceback
    return shared_kernel
