"""Makes the parts of an `HITF` from ``MODEL.HITF``."""

from typing import Any

from detectron2.config import CfgNode

from vis_projects.methods.hitf.criterion import HITFCriterion
from vis_projects.methods.hitf.encoder import HybridEncoder, attention_options, feature_grid
from vis_projects.methods.hitf.fusion import TemporalFusion
from vis_projects.methods.hitf.heads import SlotHead
from vis_projects.methods.hitf.semantic_head import SemanticHead
from vis_projects.modeling.deeplab import DeepLabV3PlusDecoder


def hitf_parts(cfg: CfgNode, backbone: HybridEncoder) -> dict[str, Any]:
    """Arguments of `HITF` that the config decides, without those of `OnlineVISModel`.

    Args:
        cfg: with the section.
        backbone: the encoder.

    Raises:
        ValueError: the backbone is another one.
    """
    if not isinstance(backbone, HybridEncoder):
        raise ValueError(f"HITF needs MODEL.BACKBONE.NAME build_hybrid_encoder, not {cfg.MODEL.BACKBONE.NAME}")
    node = cfg.MODEL.HITF
    num_classes = cfg.MODEL.VIS.NUM_CLASSES or node.NUM_CLASSES
    channels = {name: shape.channels for name, shape in backbone.output_shape().items()}
    return {
        "fusion": TemporalFusion(
            num_layers=node.NUM_ALT, num_references=node.N_REF, num_slots=node.NUM_SLOTS,
            grid=feature_grid(cfg, backbone.stride), c2c_c2p=node.INTER.C2C_C2P, p2c=node.INTER.P2C, encoding=node.PE,
            shared_encoding=node.PE_SHARED, sequential=node.P2C_SEQUENTIAL,
            **attention_options(cfg, channels["res5"]),
        ),
        "head": _slot_head(node, channels, num_classes),
        "semantic_head": _semantic_head(node, channels, num_classes),
        "criterion": HITFCriterion(
            with_background=node.BG_SLOT == "filter", lambda_inst=node.LAMBDA_INST, pq_weight=node.PQ_WEIGHT,
            pq_weights=node.PQ_WEIGHTS, floor=node.K_FLOOR, mask_id=node.AUX.MASK_ID,
            discrimination=node.AUX.INST_DISC, temperature=node.AUX.TAU, semantic=node.AUX.SEM,
        ),
        "num_classes": num_classes,
        "pair_matching": node.PM,
        "loss_frames": node.LOSS_FRAMES,
        "reference_gradients": node.REF_GRAD,
        "reference_padding": node.REF_PAD,
        "mask_rule": node.TEST.MASK_RULE,
        "mask_score": node.TEST.MASK_SCORE,
    }


def _slot_head(node: CfgNode, channels: dict[str, int], num_classes: int) -> SlotHead:
    decoder = DeepLabV3PlusDecoder(
        channels["res5"], [(channels["res2"], node.DECODER.LOW_LEVEL_CHANNELS)], channels=node.DECODER.CHANNELS,
        rates=node.DECODER.RATES, norm=node.DECODER.NORM,
    )
    return SlotHead(
        decoder, decoder_channels=node.DECODER.CHANNELS, num_classes=num_classes, code_dim=node.CODE_DIM,
        mask_dim=node.MASK_DIM, norm=node.NORM, logit_norm=node.LOGIT_NORM, background=node.BG_SLOT,
    )


def _semantic_head(node: CfgNode, channels: dict[str, int], num_classes: int) -> SemanticHead | None:
    if node.AUX.SEM <= 0:
        return None
    return SemanticHead(channels, num_classes, kind=node.AUX.SEM_TYPE, width=node.DECODER.CHANNELS,
                        rates=tuple(node.DECODER.RATES), norm=node.DECODER.NORM)
