"""What test/bench/surface.ts asks of Open3D: `surface.py FOLDER`, where FOLDER holds what that script wrote. Prints one JSON line.

views.json with <k>.depth (f32) and <k>.truth (f32, depth of the true scene), mesh.ply and light.ply (20,000 faces) in the
reconstruction's frame, geometry.ply (the true scene, same frame). The last three depth files and geometry.ply only for the samples.
"""
import json
import os
import sys
import time

import numpy as np
import open3d as o3d
from scipy.spatial import cKDTree

folder = sys.argv[1]


def path(name):
    return os.path.join(folder, name)


def load_views():
    views = json.load(open(path('views.json')))
    for k, view in enumerate(views):
        shape = (view['height'], view['width'])
        view['depth'] = np.fromfile(path(f'{k}.depth'), np.float32).reshape(shape)
        view['pixels'] = np.fromfile(path(f'{k}.rgb'), np.uint8).reshape(*shape, 3)
        view['pose'] = np.array(view['cameraFromWorld']).reshape(4, 4)
        if os.path.exists(path(f'{k}.truth')):
            view['truth'] = np.fromfile(path(f'{k}.truth'), np.float32).reshape(shape)
    return views


def points_of(view, depth, mask):
    y, x = np.nonzero(mask)
    z = depth[y, x].astype(np.float64)
    p = np.stack([(x - view['centreX']) / view['focal'] * z, (y - view['centreY']) / view['focal'] * z, z], 1)
    return (p - view['pose'][:3, 3]) @ view['pose'][:3, :3]


class Truth:
    """Points on the true scene, dense, with normals: what lies between two points is measured to their plane."""

    def __init__(self, views):
        seen = [(v['truth'] > 0) & (v['depth'] > 0) for v in views]
        self.unit = float(np.median(np.concatenate([v['truth'][v['truth'] > 0] for v in views])))
        self.covered = np.concatenate([points_of(v, v['truth'], m) for v, m in zip(views, seen)])[::5]
        mesh = o3d.io.read_triangle_mesh(path('geometry.ply'))
        lo, hi = self.covered.min(0) - 0.5 * self.unit, self.covered.max(0) + 0.5 * self.unit
        mesh = mesh.crop(o3d.geometry.AxisAlignedBoundingBox(lo, hi))
        mesh.compute_triangle_normals()
        cloud = mesh.sample_points_uniformly(1_500_000, use_triangle_normal=True)
        self.points, self.normals = np.asarray(cloud.points), np.asarray(cloud.normals)
        self.tree = cKDTree(self.points)

    def score(self, mesh):
        if len(mesh.triangles) == 0:
            return {}
        cloud = mesh.sample_points_uniformly(150_000)
        cloud_points = np.asarray(cloud.points)
        away, at = self.tree.query(cloud_points)
        plane = np.abs(((cloud_points - self.points[at]) * self.normals[at]).sum(1))
        accuracy = np.where(away < 0.01 * self.unit, plane, away) / self.unit
        dense = np.asarray(mesh.sample_points_uniformly(1_000_000).points)
        completeness = cKDTree(dense).query(self.covered)[0] / self.unit
        p, r = float((accuracy < 0.01).mean()), float((completeness < 0.01).mean())
        return {'f': 2 * p * r / max(p + r, 1e-9), 'precision': p, 'completeness': r, 'accuracy': float(np.median(accuracy))}


def tsdf(views, voxel):
    started = time.time()
    volume = o3d.pipelines.integration.ScalableTSDFVolume(voxel, 4 * voxel, o3d.pipelines.integration.TSDFVolumeColorType.RGB8)
    for view in views:
        image = o3d.geometry.RGBDImage.create_from_color_and_depth(
            o3d.geometry.Image(view['pixels']), o3d.geometry.Image(view['depth']), 1.0, 1e9, False)
        lens = o3d.camera.PinholeCameraIntrinsic(view['width'], view['height'], view['focal'], view['focal'], view['centreX'], view['centreY'])
        volume.integrate(image, lens, view['pose'])
    return volume.extract_triangle_mesh(), time.time() - started


def poisson(views):
    started = time.time()
    points, normals = [], []
    for view in views:
        own = points_of(view, view['depth'], view['depth'] > 0)
        cloud = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(own))
        cloud.estimate_normals(o3d.geometry.KDTreeSearchParamKNN(12))
        eye = -view['pose'][:3, :3].T @ view['pose'][:3, 3]
        cloud.orient_normals_towards_camera_location(eye)
        points.append(own)
        normals.append(np.asarray(cloud.normals))
    cloud = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(np.concatenate(points)))
    cloud.normals = o3d.utility.Vector3dVector(np.concatenate(normals))
    mesh, density = o3d.geometry.TriangleMesh.create_from_point_cloud_poisson(cloud, depth=10)
    density = np.asarray(density)
    mesh.remove_vertices_by_mask(density < np.quantile(density, 0.1))
    return mesh, time.time() - started


def shape(mesh):
    return {
        'faces': len(mesh.triangles),
        'edgeManifold': mesh.is_edge_manifold(allow_boundary_edges=True),
        'vertexManifold': mesh.is_vertex_manifold(),
    }


def main():
    o3d.utility.set_verbosity_level(o3d.utility.VerbosityLevel.Error)
    views = load_views()
    mesh, light = (o3d.io.read_triangle_mesh(path(name)) for name in ('mesh.ply', 'light.ply'))
    result = {'mesh': shape(mesh), 'light': {**shape(light), 'selfIntersecting': light.is_self_intersecting()}}
    if 'truth' in views[0]:
        truth = Truth(views)
        voxel = float(np.median([2 * np.median(v['depth'][v['depth'] > 0]) / v['focal'] for v in views]))
        result['ours'] = truth.score(mesh)
        result['ourLight'] = truth.score(light)
        for name, (other, seconds) in (('tsdf', tsdf(views, voxel)), ('poisson', poisson(views))):
            result[name] = {**truth.score(other), 'seconds': seconds, 'faces': len(other.triangles)}
    print(json.dumps(result))


main()
