"""``catalog://`` paths: ImageNet weights of the first Detectron by name."""

from detectron2.utils.file_io import PathHandler, PathManager


class ModelCatalog:
    """Names and addresses of pre-trained ImageNet weights."""

    S3_C2_DETECTRON_PREFIX = "https://dl.fbaipublicfiles.com/detectron"
    C2_IMAGENET_MODELS = {
        "MSRA/R-50": "ImageNetPretrained/MSRA/R-50.pkl",
        "MSRA/R-101": "ImageNetPretrained/MSRA/R-101.pkl",
        "FAIR/R-50-GN": "ImageNetPretrained/47261647/R-50-GN.pkl",
        "FAIR/R-101-GN": "ImageNetPretrained/47592356/R-101-GN.pkl",
        "FAIR/X-101-32x8d": "ImageNetPretrained/20171220/X-101-32x8d.pkl",
        "FAIR/X-101-64x4d": "ImageNetPretrained/FBResNeXt/X-101-64x4d.pkl",
        "FAIR/X-152-32x8d-IN5k": "ImageNetPretrained/25093814/X-152-32x8d-IN5k.pkl",
    }

    @staticmethod
    def get(name):
        """URL of "ImageNetPretrained/<model>".

        Raises:
            RuntimeError: for another family. KeyError: for an unknown model.
        """
        family, _, model = name.partition("/")
        if family != "ImageNetPretrained":
            raise RuntimeError(f"model not present in the catalog: {name}")
        return f"{ModelCatalog.S3_C2_DETECTRON_PREFIX}/{ModelCatalog.C2_IMAGENET_MODELS[model]}"


class ModelCatalogHandler(PathHandler):
    """Resolves ``catalog://ImageNetPretrained/MSRA/R-50`` to a downloaded file."""

    PREFIX = "catalog://"

    def _get_supported_prefixes(self):
        return [self.PREFIX]

    def _get_local_path(self, path, **kwargs):
        return PathManager.get_local_path(ModelCatalog.get(path.removeprefix(self.PREFIX)), **kwargs)

    def _open(self, path, mode="r", **kwargs):
        return PathManager.open(self._get_local_path(path), mode, **kwargs)


PathManager.register_handler(ModelCatalogHandler())
