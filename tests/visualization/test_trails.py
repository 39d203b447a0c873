from vis_projects.visualization.trails import Trails


def test_nothing():
    trails = Trails()
    trails.add({})
    assert trails.points(3) == []


def test_points_come_in_order_and_old_ones_go():
    trails = Trails(length_frames=3)
    for k in range(5):
        trails.add({7: (k, 0)} if k != 3 else {})
    assert trails.points(7) == [(2, 0), (4, 0)]


def test_gone_objects_are_forgotten():
    trails = Trails(length_frames=2)
    for k in range(1000):
        trails.add({k: (0, 0)})
    assert len(trails) == 2
    assert trails.points(999) == [(0, 0)] and trails.points(5) == []
