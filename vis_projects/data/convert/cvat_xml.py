"""The xml of "CVAT for video 1.1": read without resolving entities, and what its head says about the videos."""

import os
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from xml.parsers import expat

from vis_projects.data.convert.files import source_error, stem_of

EXPORT_REMEDY = "export the task again as `CVAT for video 1.1` and unpack the zip"


@dataclass(frozen=True)
class CvatTask:
    """One video of the file.

    Attributes:
        task_id: as `task_id` of tracks names it; None where the file has one video only.
        name: of the video.
        numbers: frame numbers as the shapes have them.
        size: (height, width) in pixels, None where the file does not say.
    """

    task_id: str | None
    name: str
    numbers: range
    size: tuple[int, int] | None


def parse_xml(path: str) -> ElementTree.Element:
    """Root element of a file. A document type, and with it every entity of one's own, is refused.

    Raises:
        DatasetError: no xml, a document type, or not what CVAT writes for videos.
    """
    builder = ElementTree.TreeBuilder()
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = builder.start, builder.end
    parser.CharacterDataHandler = builder.data

    def refuse(name: str, *rest: object) -> None:
        raise source_error(path, "<!DOCTYPE>", f"the file declares the document type {name}, which CVAT never does; "
                           "entities could read other files or fill the memory", "remove the declaration")

    parser.StartDoctypeDeclHandler = refuse
    try:
        with open(path, "rb") as file:
            parser.ParseFile(file)
    except expat.ExpatError as error:
        raise source_error(path, "xml", f"is broken ({error})", EXPORT_REMEDY) from error
    root = builder.close()
    if root.tag != "annotations":
        raise source_error(path, "root element", f"is <{root.tag}>", EXPORT_REMEDY)
    if root.find("image") is not None:
        raise source_error(path, "<image>", "this is CVAT for images, which has no tracks", EXPORT_REMEDY)
    return root


def label_names(root: ElementTree.Element) -> list[str]:
    """Names of the labels in the order of the head, those of the parts of skeletons left out."""
    labels = [label for label in root.iter("label") if not (label.findtext("parent") or "").strip()]
    names = [(label.findtext("name") or "").strip() for label in labels]
    return list(dict.fromkeys(name for name in names if name))


def read_tasks(root: ElementTree.Element, path: str) -> list[CvatTask]:
    """The videos of a file: its task or job, or the tasks of a project.

    In a project's file the frames of a task come after those of the tasks before it.

    Raises:
        DatasetError: a number in the head is broken.
    """
    tasks = root.findall("meta/project/tasks/task")
    if tasks:
        result, offset = [], 0
        for task in tasks:
            result.append(_read_task(task, path, offset))
            numbers = result[-1].numbers
            offset = numbers.start + numbers.step * len(numbers)
        return result
    head = next((found for kind in ("task", "job") if (found := root.find(f"meta/{kind}")) is not None), None)
    if head is not None and head.findtext("size"):
        task = _read_task(head, path, 0)
        return [CvatTask(None, task.name, task.numbers, task.size)]
    frames = [_whole(shape.get("frame"), path, f"<{shape.tag}> frame") for shape in root.findall("track/*")]
    size = _frame_size(root.find(".//original_size"), path)
    return [CvatTask(None, stem_of(path), range(max(frames, default=-1) + 1), size)]


def _read_task(task: ElementTree.Element, path: str, offset: int) -> CvatTask:
    count = _whole(task.findtext("size"), path, "size")
    start = _whole(task.findtext("start_frame") or "0", path, "start_frame") + offset
    step = re.search(r"step\s*=\s*([1-9][0-9]*)", task.findtext("frame_filter") or "")
    step = int(step.group(1)) if step else 1
    name = (task.findtext("name") or "").strip() or stem_of((task.findtext("source") or "").strip()) or stem_of(path)
    name = re.sub(r"[/\\\x00]", "_", name)
    return CvatTask((task.findtext("id") or "").strip(), "video" if name in (".", "..") else name,
                    range(start, start + step * count, step), _frame_size(task.find("original_size"), path))


def _frame_size(element: ElementTree.Element | None, path: str | os.PathLike) -> tuple[int, int] | None:
    if element is None:
        return None
    return tuple(_whole(element.findtext(key), path, f"original_size.{key}") for key in ("height", "width"))


def _whole(text: str | None, path: str | os.PathLike, field: str) -> int:
    if text is None or not re.fullmatch(r"\s*[0-9]+\s*", text):
        raise source_error(path, field, f"is {text!r}", "give a whole number; CVAT writes it on export")
    return int(text)
