"""Small networks of many architectures with random weights, as sentence-transformers folders."""

import json

import tiny

COMMON = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
SIZES = {
    "bert": {**COMMON, "max_position_embeddings": 40},
    "roberta": {**COMMON, "max_position_embeddings": 40, "pad_token_id": 0},
    "xlm-roberta": {**COMMON, "max_position_embeddings": 40, "pad_token_id": 0},
    "camembert": {**COMMON, "max_position_embeddings": 40, "pad_token_id": 0},
    "mpnet": {**COMMON, "max_position_embeddings": 40, "pad_token_id": 1},
    "electra": {**COMMON, "max_position_embeddings": 40, "embedding_size": 16},
    "distilbert": {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64, "max_position_embeddings": 40},
    "modernbert": {**COMMON, "pad_token_id": 0, "max_position_embeddings": 64},
    "qwen3": {**COMMON, "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 64},
}


def write(folder, kind, *, pooling="mean", padding_side="right", seed=0, **changes):
    """Write one; `changes` go into its configuration."""
    import torch
    from transformers import AutoConfig, AutoModel

    folder.mkdir(parents=True)
    size = tiny.write_tokenizer(folder)
    tokenizer = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**tokenizer, "padding_side": padding_side}))
    torch.manual_seed(seed)
    config = AutoConfig.for_model(kind, vocab_size=size, initializer_range=0.3, **{**SIZES[kind], **changes})
    AutoModel.from_config(config).save_pretrained(folder)
    modules = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    listed = [
        {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{name}"}
        for number, (path, name) in enumerate(modules)
    ]
    (folder / "modules.json").write_text(json.dumps(listed))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(
        json.dumps({"word_embedding_dimension": 32, "pooling_mode": pooling})
    )
    (folder / "2_Normalize").mkdir()
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 32}))
    return folder
