"""How metrics, protocols and data sets are written in tables, figures and pages, and which values are better."""

from typing import Literal

METRICS = {
    "auprc": "AUPRC",
    "dice": "Dice",
    "auroc": "AUROC",
    "l1": "ℓ1 error",
    "ssim": "SSIM",
    "mse": "MSE",
    "lpips": "LPIPS",
    "mse_lesion": "MSE in lesions",
    "lpips_lesion": "LPIPS in lesions",
    "dice_grid": "Dice (threshold grid)",
    "dice_mean_volumes": "Dice (one threshold)",
    "dice_mean_volumes_grid": "Dice (one threshold of the grid)",
    "precision": "Precision",
    "recall": "Recall",
    "prevalence": "Prevalence",
    "lesion_recall": "Lesions found",
    "lesion_precision": "Lesion precision",
    "lesion_f1": "Lesion F1",
    "box_f1": "Mean F1 of boxes",
    "false_positive_components": "False components",
    "healthy_components": "Components in healthy scans",
    "fpr": "False-positive rate (healthy)",
    "image_score": "Image score",
}
# Every metric of the catalogue of evaluations is in one of these; those of the last describe data or thresholds.
HIGHER_IS_BETTER = frozenset(
    {
        *("auprc", "auroc", "dice", "dice_grid", "dice_mean_volumes", "dice_mean_volumes_grid"),
        *("precision", "recall", "lesion_recall", "lesion_precision", "lesion_f1", "box_f1"),
        *("detected", "detected_share", "f1_boxes", "ssim"),
    }
)
LOWER_IS_BETTER = frozenset(
    {
        *("l1", "mse", "lpips", "mse_lesion", "lpips_lesion"),
        *("fpr", "false_positive_components", "healthy_components"),
    }
)
NOT_RANKED = frozenset(
    {
        *("prevalence", "image_score", "boxes", "subjects", "subjects_with_lesion", "subjects_failed"),
        *("subjects_without_lesion", "subjects_image_only", "subjects_unannotated"),
        *("threshold", "threshold_fallback", "threshold_beyond_grid", "protocol_left_out"),
    }
)

PROTOCOLS = {
    "": "",
    "oracle": "oracle threshold",
    "validation": "validation threshold",
    "validation-bisection": "validation threshold (bisection)",
    "healthy-fpr": "healthy-FPR threshold",
    "healthy-fpr-grid": "healthy-FPR threshold (grid)",
    "yen": "Yen threshold",
}
AGGREGATES = {"pooled": "all voxels pooled", "mean": "mean of volumes"}

DATASETS = {
    "ixi": "IXI",
    "brats21": "BraTS 2021",
    "mslub": "MSLUB",
    "ixi_mni": "IXI (MNI)",
    "msseg": "MSSEG",
    "ljubljana": "Ljubljana",
    "atlas2": "ATLAS v2.0",
    "fastmri": "FastMRI+",
    "cq500": "CQ500",
    "hospital_ct": "Hospital CT",
}
MODALITIES = {"t1": "T1w", "t1ce": "T1w + contrast", "t2": "T2w", "flair": "FLAIR", "pd": "PD", "ct": "CT"}

PHANTOM_NOTE = "simulated phantom: not comparable with the published values"


def metric_name(metric: str) -> str:
    """The metric as it is written."""
    return METRICS.get(metric, metric.replace("_", " "))


def better(metric: str) -> Literal["higher", "lower", "neither"]:
    """Which values of a metric are the better ones; of one that is not ranked, or not known, neither."""
    if metric in LOWER_IS_BETTER:
        return "lower"
    return "higher" if metric in HIGHER_IS_BETTER else "neither"


def dataset_name(dataset: str) -> str:
    """The data set as it is written."""
    return DATASETS.get(dataset, dataset)


def modality_name(modality: str) -> str:
    """The sequence as it is written."""
    return MODALITIES.get(modality, modality)


def protocol_name(protocol: str) -> str:
    """How the threshold was chosen, in words; empty where no threshold is needed."""
    return PROTOCOLS.get(protocol, f"{protocol} threshold")


def score_label(metric: str, protocol: str, aggregate: str = "", scale: float = 1.0) -> str:
    """An axis label: metric, unit, and in brackets the aggregate and the protocol."""
    details = [text for text in (AGGREGATES.get(aggregate, ""), protocol_name(protocol)) if text]
    if protocol == "oracle":
        details.append("upper bound")
    unit = " / %" if scale == 100 else ""
    return metric_name(metric) + unit + (f" ({', '.join(details)})" if details else "")


def pseudonym(dataset: str, number: int) -> str:
    """How a subject is written in figures and pages."""
    return f"{dataset_name(dataset)} #{number}"


# A corrected p from here on is no difference.
ALPHA = 0.05


def p_text(p: float) -> str:
    """`= 0.012` or `< 0.001`."""
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"
