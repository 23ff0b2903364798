import torch

from isoglot.encode.precision import autocast, choose


def test_auto_takes_bf16_only_where_the_processor_multiplies_it():
    native = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    assert choose("auto", torch.device("cpu")) == ("bf16" if native else "fp32")
    assert choose("bf16", torch.device("cpu")) == "bf16"


def test_bf16_rounds_products_and_fp32_does_not():
    a, b = torch.randn(8, 8, generator=torch.Generator().manual_seed(0)), torch.eye(8)
    with autocast("bf16", torch.device("cpu")):
        rounded = a @ b
    with autocast("fp32", torch.device("cpu")):
        exact = a @ b
    assert rounded.dtype == torch.bfloat16
    assert torch.equal(exact, a)


def test_the_option_reaches_the_encoder(tiny_folder):
    from isoglot.encode.encoder import load_encoder

    exact = load_encoder(tiny_folder / "teacher", precision="fp32").encode(["the red house sings today"])
    rounded = load_encoder(tiny_folder / "teacher", precision="bf16").encode(["the red house sings today"])
    assert rounded.dtype == exact.dtype
    assert 0.999 < float((exact * rounded).sum()) < 1.0 - 1e-7


def test_a_build_that_does_not_know_bf16_takes_fp32(monkeypatch):
    """torch for Apple's processors has no oneDNN, and no such operator."""

    def unknown():
        raise AttributeError

    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", unknown)
    assert choose("auto", torch.device("cpu")) == "fp32"
