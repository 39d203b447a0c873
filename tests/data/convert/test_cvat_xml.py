"""The head of CVAT's xml, and xml that must not be read."""

import pytest

from vis_projects.data.convert.cvat_xml import CvatTask, label_names, parse_xml, read_tasks
from vis_projects.data.errors import DatasetError

LABELS = """<labels><label><name>car</name><type>any</type></label><label><name>person</name></label>
<label><name>knee</name><parent>person</parent></label></labels>"""


def parsed(tmp_path, text):
    path = tmp_path / "a.xml"
    path.write_text(text)
    return parse_xml(str(path)), str(path)


def head(inner):
    return f"<annotations><version>1.1</version><meta>{inner}</meta></annotations>"


def test_task(tmp_path):
    root, path = parsed(tmp_path, head(
        f"<task><id>3</id><name>my/clip</name><size>3</size><start_frame>10</start_frame><stop_frame>20</stop_frame>"
        f"<frame_filter>step=5</frame_filter>{LABELS}<original_size><width>6</width><height>4</height></original_size>"
        "<source>x.mp4</source></task>"))
    assert read_tasks(root, path) == [CvatTask(None, "my_clip", range(10, 25, 5), (4, 6))]
    assert label_names(root) == ["car", "person"]


def test_job_without_name(tmp_path):
    root, path = parsed(tmp_path, head("<job><id>8</id><size>2</size><start_frame>4</start_frame></job>"))
    assert read_tasks(root, path) == [CvatTask(None, "a", range(4, 6), None)]


def test_project_counts_frames_on(tmp_path):
    task = ("<task><id>{}</id><name>{}</name><size>2</size><start_frame>1</start_frame><frame_filter>step=3"
            "</frame_filter></task>")
    root, path = parsed(tmp_path, head(
        f"<project><tasks>{task.format(5, 'a')}{task.format(6, 'b')}</tasks>{LABELS}</project>"))
    # the second task starts where the first one ends: 1 + 2 * 3 = 7
    assert [(t.task_id, list(t.numbers)) for t in read_tasks(root, path)] == [("5", [1, 4]), ("6", [8, 11])]


def test_no_head(tmp_path):
    root, path = parsed(tmp_path, '<annotations><track id="0" label="car"><box frame="4"/></track></annotations>')
    assert read_tasks(root, path) == [CvatTask(None, "a", range(0, 5), None)]


BOMB = """<?xml version="1.0"?><!DOCTYPE annotations [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>
<annotations>&b;</annotations>"""
OUTSIDE = """<?xml version="1.0"?><!DOCTYPE annotations [<!ENTITY x SYSTEM "file:///etc/hostname">]>
<annotations><version>&x;</version></annotations>"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, r"<!DOCTYPE>: the file declares the document type annotations.* Remedy: remove the declaration"),
        (OUTSIDE, r"<!DOCTYPE>: .* Remedy"),
        ("<annotations><version>", r"xml: is broken \(.*line 1.* Remedy: export the task again"),
        ("", r"xml: is broken .* Remedy"),
        ("<html/>", r"root element: is <html>\. Remedy"),
        ("<annotations><image id='0' name='a'/></annotations>", r"<image>: this is CVAT for images.* Remedy: export"),
    ],
)
def test_refused_xml(tmp_path, text, message):
    with pytest.raises(DatasetError, match=rf"a\.xml: {message}"):
        parsed(tmp_path, text)


@pytest.mark.parametrize(
    ("inner", "message"),
    [
        ("<task><size>many</size></task>", r"size: is 'many'\. Remedy: give a whole number"),
        ("<task><size>2</size><start_frame>-1</start_frame></task>", r"start_frame: is '-1'\. Remedy"),
        ("<task><size>2</size><original_size><width>6</width></original_size></task>",
         r"original_size\.height: is None\. Remedy"),
    ],
)
def test_broken_heads(tmp_path, inner, message):
    root, path = parsed(tmp_path, head(inner))
    with pytest.raises(DatasetError, match=rf"a\.xml: {message}"):
        read_tasks(root, path)
