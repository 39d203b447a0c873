"""`ImageMapper`: single annotated frames or images, in the form that Detectron2's image models take."""

from collections.abc import Mapping

from vis_projects.data.frame_sampler import KeySampler
from vis_projects.data.image_files import read_frame
from vis_projects.data.mapper import FrameSampler, VideoDatasetMapper
from vis_projects.data.pseudo_video import is_image_record
from vis_projects.data.registry import VIS_MAPPER_REGISTRY


@VIS_MAPPER_REGISTRY.register()
class ImageMapper(VideoDatasetMapper):
    """Trains a model of images on image sets, on the frames of video sets, or on both.

    Augmentation, seeds and checks are those of `VideoDatasetMapper`. For inference an image record gives one image; a
    video record gives a whole video, as there.
    """

    @classmethod
    def build_frame_sampler(cls, cfg) -> FrameSampler:
        """The key frame alone."""
        return KeySampler()

    def _training_clip(self, record: Mapping) -> dict:
        clip = super()._training_clip(record)
        (image,), (instances,) = clip["image"], clip["instances"]
        return {"image": image, "instances": instances, "height": clip["height"], "width": clip["width"],
                "image_id": clip["video_id"]}

    def _whole_video(self, video: Mapping) -> dict:
        if not is_image_record(video):
            return super()._whole_video(video)
        size = (video["height"], video["width"])
        image = read_frame(video["file_name"], self.image_format, video_id=video["image_id"], size=size)
        return {"image": self.frame_transform(image), "height": size[0], "width": size[1],
                "image_id": video["image_id"], "file_name": video["file_name"]}
