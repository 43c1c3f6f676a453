import { Matrix4, ShaderMaterial } from 'three';
import { confidenceAt } from '../../electron/contract/confidence.js';
import { rampShader } from './ramp.js';
import type { ViewerSettings } from '../store/viewer-settings.js';

const modes: readonly ViewerSettings['colour'][] = ['photo', 'confidence', 'depth', 'normal', 'source'];

/** Steps of the scale of confidence as the shader has it; a power of two. */
const STEPS = 32;

/** The scale (contract/confidence.ts) in the steps of the shader. */
export const scaleUniform = (scale: readonly number[]): Float32Array =>
  Float32Array.from({ length: STEPS + 1 }, (_, k) => confidenceAt(scale, (100 * k) / STEPS));

/**
 * One material for all chunks, so that a slider changes one number and no point. Points below the confidence threshold
 * are moved out of the view volume instead of being discarded pixel by pixel. The cloud's colours are sRGB already and
 * are written as they are.
 */
export function pointMaterial(): ShaderMaterial {
  return new ShaderMaterial({
    uniforms: {
      size: { value: 2 },
      pixelRatio: { value: 1 },
      mode: { value: 0 },
      minConfidence: { value: 1 },
      confidences: { value: new Float32Array(STEPS + 1).fill(1) },
      nearest: { value: 1 },
      farthest: { value: 10 },
      chosenSource: { value: -1 },
      cropped: { value: false },
      boxFromWorld: { value: new Matrix4() },
      scale: { value: 1 },
    },
    vertexShader: /* glsl */ `
      attribute vec3 colour;
      attribute float confidence;
      attribute float source;
      attribute float state;
      uniform float size, pixelRatio, minConfidence, nearest, farthest, chosenSource, scale;
      uniform int mode;
      // At equal shares of all depths, ascending.
      uniform float confidences[${STEPS + 1}];
      uniform bool cropped;
      uniform mat4 boxFromWorld;
      varying vec3 shade;

      ${rampShader}
      // Share of all depths that are less sure.
      float shareBelow(float value) {
        int low = 0, high = ${STEPS};
        for (int k = 0; k < ${Math.log2(STEPS)}; k++) {
          int middle = (low + high) / 2;
          if (confidences[middle] < value) low = middle; else high = middle;
        }
        float part = clamp((value - confidences[low]) / max(confidences[high] - confidences[low], 1e-6), 0.0, 1.0);
        return (float(low) + part) / float(${STEPS});
      }
      // Neighbouring numbers far apart on the wheel: steps of the golden angle.
      vec3 hue(float k) {
        vec3 wheel = abs(mod(fract(k * 0.61803) * 6.0 + vec3(0.0, 4.0, 2.0), 6.0) - 3.0) - 1.0;
        return mix(vec3(0.62), clamp(wheel, 0.0, 1.0), 0.62);
      }
      void main() {
        vec4 seen = modelViewMatrix * vec4(position, 1.0);
        gl_Position = projectionMatrix * seen;
        int bits = int(state + 0.5);
        // Deleted or hidden.
        bool unseen = (bits & 5) != 0;
        vec3 inBox = abs((boxFromWorld * vec4(position, 1.0)).xyz);
        bool outside = cropped && max(inBox.x, max(inBox.y, inBox.z)) > 0.5;
        if (confidence < minConfidence || unseen || outside) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
        // As wide on screen as asked at the distance of the pivot, a little more in front of it, never less than a
        // pixel.
        gl_PointSize = pixelRatio * clamp(size * scale / max(-seen.z, 1e-6), max(1.0, size * 0.5), size * 3.0);
        shade = colour;
        if (mode == 1) shade = ramp(shareBelow(confidence));
        else if (mode == 2) shade = ramp(1.0 - (1.0 / nearest - 1.0 / max(-seen.z, 1e-6)) / (1.0 / nearest - 1.0 / farthest));
        #ifdef WITH_NORMALS
          else if (mode == 3) shade = normalize(normalMatrix * normal) * 0.5 + 0.5;
        #endif
        else if (mode == 4) shade = hue(source);
        if (mode == 4 && chosenSource >= 0.0 && source != chosenSource) shade *= 0.35;
        if ((bits & 2) != 0) shade = mix(shade, vec3(1.0, 0.5, 0.1), 0.7);
      }`,
    fragmentShader: /* glsl */ `
      varying vec3 shade;
      void main() {
        vec2 offset = gl_PointCoord - 0.5;
        if (dot(offset, offset) > 0.25) discard;
        gl_FragColor = vec4(shade, 1.0);
      }`,
  });
}

export const modeNumber = (colour: ViewerSettings['colour']): number => modes.indexOf(colour);
