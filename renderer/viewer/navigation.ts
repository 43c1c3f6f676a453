import { useThree } from '@react-three/fiber';
import CameraControls from 'camera-controls';
import * as THREE from 'three';
import { useEffect, useMemo } from 'react';
import type { ViewPlace } from '../store/viewer-settings.js';

CameraControls.install({ THREE });

/** The right-handed y-up room of the screen: where the eye is, and what it turns about. */
export interface Navigation {
  /** Called every frame. @param delta seconds @returns whether the view changed */
  update(delta: number): boolean;
  /**
   * Turns towards a centre, from a direction or from where the eye is, and stands as near as all of the points are in
   * view from.
   */
  frame(centre: THREE.Vector3, points: readonly THREE.Vector3[], direction?: THREE.Vector3, animate?: boolean): void;
  /** Turns about this point from now on, without a jump. */
  pivot(point: THREE.Vector3): void;
  /** Stands at a place and looks at another. */
  stand(eye: THREE.Vector3, target: THREE.Vector3): void;
  /** Moves the eye, and what it turns about, at once. */
  shift(by: THREE.Vector3): void;
  /** Where the eye is and what it turns about. */
  place(): ViewPlace;
  /** Turns about up by a share of a whole turn, at once. */
  turn(share: number): void;
  distance(): number;
  /** A hand has moved the view. */
  touched(): boolean;
  enable(on: boolean): void;
}

const FLY_KEYS: Readonly<Record<string, readonly [right: number, up: number, forward: number]>> = {
  KeyW: [0, 0, 1],
  KeyS: [0, 0, -1],
  KeyA: [-1, 0, 0],
  KeyD: [1, 0, 0],
  KeyE: [0, 1, 0],
  KeyQ: [0, -1, 0],
};

/** Turning around, turning over, coming nearer. With Shift the first two move sideways and up. */
const TURN_KEYS: Readonly<Record<string, readonly [around: number, over: number, nearer: number]>> = {
  ArrowLeft: [-1, 0, 0],
  ArrowRight: [1, 0, 0],
  ArrowUp: [0, -1, 0],
  ArrowDown: [0, 1, 0],
  '+': [0, 0, 1],
  '=': [0, 0, 1],
  '-': [0, 0, -1],
};

/** Orbit, pan, zoom by mouse and touch; in fly mode W A S D E Q move and the mouse looks around. */
export function useNavigation(mode: 'orbit' | 'fly', sceneRadius: number): Navigation {
  const camera = useThree(({ camera }) => camera) as THREE.PerspectiveCamera;
  const canvas = useThree(({ gl }) => gl.domElement);
  const invalidate = useThree(({ invalidate }) => invalidate);
  const controls = useMemo(() => new CameraControls(camera, canvas), [camera, canvas]);
  const keys = useMemo(() => new Set<string>(), []);
  const hand = useMemo(() => ({ touched: false }), []);

  useEffect(() => {
    const wake = (): void => invalidate();
    controls.addEventListener('controlstart', () => {
      hand.touched = true;
      wake();
    });
    controls.addEventListener('control', wake);
    controls.addEventListener('transitionstart', wake);
    controls.addEventListener('update', wake);
    controls.smoothTime = matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 0.12;
    controls.draggingSmoothTime = 0.04;
    controls.dollyToCursor = true;
    return () => controls.dispose();
  }, [controls, hand, invalidate]);

  useEffect(() => {
    // Without a mouse: the canvas takes the focus, and what a drag or the wheel does has keys.
    canvas.tabIndex = 0;
    canvas.setAttribute('role', 'application');
    const press = (event: KeyboardEvent): void => {
      const turn = TURN_KEYS[event.key];
      if (!turn || !controls.enabled || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      hand.touched = true;
      const [around, over, nearer] = turn;
      if (nearer !== 0) void controls.dolly(nearer * controls.distance * 0.15, true);
      else if (event.shiftKey)
        void controls.truck(-around * controls.distance * 0.05, -over * controls.distance * 0.05, true);
      else void controls.rotate(around * 0.1, over * 0.1, true);
      invalidate();
    };
    canvas.addEventListener('keydown', press);
    return () => canvas.removeEventListener('keydown', press);
  }, [canvas, controls, hand, invalidate]);

  useEffect(() => {
    if (mode === 'orbit') {
      controls.azimuthRotateSpeed = controls.polarRotateSpeed = 1;
      controls.minDistance = sceneRadius * 1e-3;
      controls.maxDistance = sceneRadius * 50;
      const ahead = new THREE.Vector3();
      camera.getWorldDirection(ahead);
      if (controls.distance < sceneRadius * 0.01)
        controls.setTarget(...camera.position.clone().addScaledVector(ahead, sceneRadius).toArray(), false);
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
      if (
        !(event.code in FLY_KEYS) ||
        event.ctrlKey ||
        event.metaKey ||
        (event.target as HTMLElement).matches?.('input, textarea, select')
      )
        return;
      keys.add(event.code);
      hand.touched = true;
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
  }, [mode, controls, camera, sceneRadius, keys, hand, invalidate]);

  return useMemo(
    () => ({
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
      frame: (centre, points, direction, animate = true) => {
        const back = (direction ?? camera.getWorldDirection(new THREE.Vector3()).negate()).clone().normalize();
        const eye = centre.clone().addScaledVector(back, 1.05 * fittingDistance(centre, points, back, camera));
        void controls.setLookAt(...eye.toArray(), ...centre.toArray(), animate);
      },
      pivot: (point) => controls.setOrbitPoint(...point.toArray()),
      stand: (eye, target) => void controls.setLookAt(...eye.toArray(), ...target.toArray(), false),
      shift: (by) => {
        const [eye, target] = [controls.getPosition(new THREE.Vector3()), controls.getTarget(new THREE.Vector3())];
        void controls.setLookAt(...eye.add(by).toArray(), ...target.add(by).toArray(), false);
      },
      place: () => ({
        eye: controls.getPosition(new THREE.Vector3()).toArray(),
        target: controls.getTarget(new THREE.Vector3()).toArray(),
      }),
      turn: (share) => {
        void controls.rotate(2 * Math.PI * share, 0, false);
        controls.update(0);
      },
      distance: () => controls.distance,
      touched: () => hand.touched,
      enable: (on) => {
        controls.enabled = on;
      },
    }),
    [controls, camera, keys, hand, sceneRadius, invalidate],
  );
}

/**
 * How far behind a centre the eye must stand so that every point lies within its picture. @param back unit, from the
 * centre to the eye
 */
export function fittingDistance(
  centre: THREE.Vector3,
  points: readonly THREE.Vector3[],
  back: THREE.Vector3,
  { fov, aspect }: { fov: number; aspect: number },
): number {
  const tangent = Math.tan(THREE.MathUtils.degToRad(fov / 2));
  const right = new THREE.Vector3(0, 1, 0).cross(back).normalize();
  const up = back.clone().cross(right);
  return points.reduce((most, point) => {
    const offset = point.clone().sub(centre);
    return Math.max(
      most,
      offset.dot(back) + Math.max(Math.abs(offset.dot(right)) / (tangent * aspect), Math.abs(offset.dot(up)) / tangent),
    );
  }, 0);
}
