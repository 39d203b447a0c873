from vis_projects.data.identities import number_identities


def video(*frames):
    annotations = [[{"id": i} for i in ids] for ids in frames]
    return {"video_id": 1, "file_names": ["a"] * len(frames), "annotations": annotations}


def identities(record):
    frames = record["annotations"]
    return [[a["identity"] for a in frame] if isinstance(frame, list) else frame["identity"] for frame in frames]


def test_nothing_to_number():
    assert number_identities([]) == [] and number_identities([[], [video([], [])]])[1][0]["annotations"] == [[], []]


def test_ids_with_gaps_become_contiguous_over_videos_and_sets():
    # set 1 has the ids 5, 7, 40; set 2 has 7 and 9, which are other objects
    first, second = number_identities([[video([40, 5], [5]), video([7])], [video([9], [7, 9])]])
    assert [identities(record) for record in first] == [[[2, 0], [0]], [[1]]]
    assert identities(second[0]) == [[4], [3, 4]]


def test_the_records_themselves_are_not_changed():
    record = video([3])
    number_identities([[record]])
    assert record == video([3])


def test_objects_of_still_images_have_none():
    image = {"file_name": "a.jpg", "image_id": 1, "annotations": [{"bbox": [0, 0, 1, 1]}]}
    (images, videos) = number_identities([[image], [video([8])]])
    assert identities(images[0]) == [-1] and identities(videos[0]) == [[0]]
