import { useThree } from '@react-three/fiber';
import CameraControls from 'camera-controls';
import * as THREE from 'three';
import { useEffect, useMemo } from 'react';

CameraControls.install({ THREE });

/** The right-handed y-up room of the screen: where the eye is, and what it turns about. */
export interface Navigation {
  /** Called every frame. @param delta seconds @returns whether the view changed */
  update(delta: number): boolean;
  /** Moves so that a sphere fills the view, seen from a direction. */
  frame(centre: THREE.Vector3, radius: number, direction?: THREE.Vector3, animate?: boolean): void;
  /** Turns about this point from now on, without a jump. */
  pivot(point: THREE.Vector3): void;
  /** Stands at a place and looks at another. */
  stand(eye: THREE.Vector3, target: THREE.Vector3): void;
  distance(): number;
  enable(on: boolean): void;
}

const FLY_KEYS: Readonly<Record<string, readonly [right: number, up: number, forward: number]>> = {
  KeyW: [0, 0, 1], KeyS: [0, 0, -1], KeyA: [-1, 0, 0], KeyD: [1, 0, 0], KeyE: [0, 1, 0], KeyQ: [0, -1, 0],
};

/** Orbit, pan, zoom by mouse and touch; in fly mode W A S D E Q move and the mouse looks around. */
export function useNavigation(mode: 'orbit' | 'fly', sceneRadius: number): Navigation {
  const camera = useThree(({ camera }) => camera) as THREE.PerspectiveCamera;
  const canvas = useThree(({ gl }) => gl.domElement);
  const invalidate = useThree(({ invalidate }) => invalidate);
  const controls = useMemo(() => new CameraControls(camera, canvas), [camera, canvas]);
  const keys = useMemo(() => new Set<string>(), []);

  useEffect(() => {
    const wake = (): void => invalidate();
    controls.addEventListener('controlstart', wake);
    controls.addEventListener('control', wake);
    controls.addEventListener('transitionstart', wake);
    controls.addEventListener('update', wake);
    controls.smoothTime = matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 0.12;
    controls.draggingSmoothTime = 0.04;
    controls.dollyToCursor = true;
    return () => controls.dispose();
  }, [controls, invalidate]);

  useEffect(() => {
    if (mode === 'orbit') {
      controls.azimuthRotateSpeed = controls.polarRotateSpeed = 1;
      controls.minDistance = sceneRadius * 1e-3;
      controls.maxDistance = sceneRadius * 50;
      const ahead = new THREE.Vector3();
      camera.getWorldDirection(ahead);
      if (controls.distance < sceneRadius * 0.01) controls.setTarget(...camera.position.clone().addScaledVector(ahead, sceneRadius).toArray(), false);
      return;
    }
    // Turning about a point just before the eye is looking around.
    controls.azimuthRotateSpeed = controls.polarRotateSpeed = -0.35;
    const ahead = new THREE.Vector3();
    camera.getWorldDirection(ahead);
    const near = sceneRadius * 1e-3;
    controls.minDistance = controls.maxDistance = near;
    controls.setTarget(...camera.position.clone().addScaledVector(ahead, near).toArray(), false);
    const press = (event: KeyboardEvent): void => {
      if (!(event.code in FLY_KEYS) || event.ctrlKey || event.metaKey || (event.target as HTMLElement).matches?.('input, textarea, select')) return;
      keys.add(event.code);
      invalidate();
    };
    const release = (event: KeyboardEvent): void => void keys.delete(event.code);
    const leave = (): void => keys.clear();
    window.addEventListener('keydown', press);
    window.addEventListener('keyup', release);
    window.addEventListener('blur', leave);
    return () => {
      window.removeEventListener('keydown', press);
      window.removeEventListener('keyup', release);
      window.removeEventListener('blur', leave);
      keys.clear();
    };
  }, [mode, controls, camera, sceneRadius, keys, invalidate]);

  return useMemo(() => ({
    update: (delta: number): boolean => {
      const step = Math.min(delta, 0.1) * sceneRadius * 0.6;
      for (const key of keys) {
        const [right, up, forward] = FLY_KEYS[key]!;
        if (right) void controls.truck(right * step, 0, false);
        if (up) void controls.elevate(up * step, false);
        if (forward) void controls.forward(forward * step, false);
      }
      if (keys.size > 0) invalidate();
      return controls.update(delta) || keys.size > 0;
    },
    frame: (centre, radius, direction, animate = true) => {
      const from = (direction ?? camera.getWorldDirection(new THREE.Vector3()).negate()).clone().normalize();
      const half = THREE.MathUtils.degToRad(camera.fov / 2);
      const distance = radius / Math.sin(Math.min(half, Math.atan(Math.tan(half) * camera.aspect)));
      const eye = centre.clone().addScaledVector(from, distance);
      void controls.setLookAt(...eye.toArray(), ...centre.toArray(), animate);
    },
    pivot: (point) => controls.setOrbitPoint(...point.toArray()),
    stand: (eye, target) => void controls.setLookAt(...eye.toArray(), ...target.toArray(), false),
    distance: () => controls.distance,
    enable: (on) => { controls.enabled = on; },
  }), [controls, camera, keys, sceneRadius, invalidate]);
}
