import {
  BufferAttribute,
  BufferGeometry,
  DepthTexture,
  GLSL3,
  Group,
  Mesh,
  NearestFilter,
  OrthographicCamera,
  Points,
  RawShaderMaterial,
  Scene,
  Sphere,
  UnsignedIntType,
  Vector2,
  Vector3,
  WebGLRenderTarget,
  type Camera,
  type PerspectiveCamera,
  type ShaderMaterial,
  type WebGLRenderer,
} from 'three';
import { partOf } from './budget.js';
import { CHUNK, type CloudData } from './cloud-data.js';

/**
 * The points in a picture of their own, colour and depth, which every frame lays under the cameras and the grid. So a
 * picture can fill in over many frames, and what changes above the points (a label, a selection, a camera's photo)
 * costs no point.
 */
export class PointPass {
  /** Carries the points' turn into the upright room of the screen. */
  readonly world = new Group();
  private readonly scene = new Scene();
  private readonly target = new WebGLRenderTarget(1, 1, {
    minFilter: NearestFilter,
    magFilter: NearestFilter,
    depthTexture: new DepthTexture(1, 1, UnsignedIntType),
  });
  private readonly sheet = new Scene();
  private readonly sheetCamera = new OrthographicCamera();
  private readonly composition = compositionMaterial();
  private readonly triangle = screenTriangle();
  private readonly bufferSize = new Vector2();
  private parts: Points<BufferGeometry, ShaderMaterial>[] = [];

  constructor(private readonly material: ShaderMaterial) {
    this.scene.add(this.world);
    const sheet = new Mesh(this.triangle, this.composition);
    sheet.frustumCulled = false;
    this.sheet.add(sheet);
    this.composition.uniforms.colour!.value = this.target.texture;
    this.composition.uniforms.depth!.value = this.target.depthTexture;
  }

  /** The cloud to be drawn from now on; whoever loaded it disposes of its geometries. */
  setCloud(cloud: CloudData): void {
    this.world.clear();
    this.parts = cloud.chunks.map((chunk) =>
      Object.assign(new Points(chunk, this.material), { frustumCulled: false, raycast: () => undefined }),
    );
    if (this.parts.length > 0) this.world.add(...this.parts);
  }

  /** Draws points [from, to) over those there are already, or over nothing. */
  draw(renderer: WebGLRenderer, camera: Camera, from: number, to: number, clear: boolean): void {
    const { x, y } = renderer.getDrawingBufferSize(this.bufferSize);
    if (this.target.width !== x || this.target.height !== y) this.target.setSize(x, y);
    this.parts.forEach((part, k) => {
      const { start, count } = partOf(k, CHUNK, from, to);
      part.visible = count > 0;
      part.geometry.setDrawRange(start, count);
    });
    renderer.setRenderTarget(this.target);
    if (clear) renderer.clear();
    renderer.render(this.scene, camera);
    renderer.setRenderTarget(null);
  }

  /** Lays the picture on the screen, with its depths, so that what is drawn next stands among the points. */
  compose(renderer: WebGLRenderer, camera: PerspectiveCamera, shading: Shading): void {
    const { uniforms } = this.composition;
    uniforms.strength!.value = shading.strength;
    uniforms.reach!.value = shading.reach;
    // As the projection has them: a camera that is looked through has no fields that say so.
    const [a, b] = [camera.projectionMatrix.elements[10]!, camera.projectionMatrix.elements[14]!];
    uniforms.distances!.value.set(b / (a - 1), b / (a + 1));
    renderer.render(this.sheet, this.sheetCamera);
  }

  dispose(): void {
    this.target.depthTexture?.dispose();
    this.target.dispose();
    this.composition.dispose();
    this.triangle.dispose();
  }
}

/** Eye-dome lighting (Boucheny 2009): a point is darker, the nearer its neighbours on the screen are than itself. */
export interface Shading {
  /** 0 for none. */
  strength: number;
  /** How far off the neighbours are, pixels of the buffer. */
  reach: number;
}

/** One triangle over the whole screen. */
function screenTriangle(): BufferGeometry {
  const geometry = new BufferGeometry().setAttribute(
    'position',
    new BufferAttribute(new Float32Array([-1, -1, 0, 3, -1, 0, -1, 3, 0]), 3),
  );
  geometry.boundingSphere = new Sphere(new Vector3(), Infinity);
  return geometry;
}

function compositionMaterial(): RawShaderMaterial {
  return new RawShaderMaterial({
    glslVersion: GLSL3,
    uniforms: {
      colour: { value: null },
      depth: { value: null },
      distances: { value: new Vector2(1, 10) },
      strength: { value: 0 },
      reach: { value: 1 },
    },
    vertexShader: /* glsl */ `
      in vec3 position;
      void main() { gl_Position = vec4(position, 1.0); }`,
    fragmentShader: /* glsl */ `
      precision highp float;
      precision highp sampler2D;
      uniform sampler2D colour, depth;
      uniform vec2 distances;
      uniform float strength, reach;
      out vec4 shade;
      // Logarithm of the distance to the eye.
      float farness(float there) {
        float ndc = 2.0 * there - 1.0;
        return log2(2.0 * distances.x * distances.y / (distances.x + distances.y - ndc * (distances.y - distances.x)));
      }
      float lighting(ivec2 pixel, float there) {
        float own = farness(there);
        ivec2 last = textureSize(depth, 0) - 1;
        float sum = 0.0;
        for (int k = 0; k < 8; k++) {
          float angle = float(k) * 0.785398;
          ivec2 at = clamp(pixel + ivec2(round(reach * vec2(cos(angle), sin(angle)))), ivec2(0), last);
          sum += max(0.0, own - farness(texelFetch(depth, at, 0).r));
        }
        return exp(-strength * sum / 8.0);
      }
      void main() {
        ivec2 pixel = ivec2(gl_FragCoord.xy);
        float there = texelFetch(depth, pixel, 0).r;
        if (there >= 1.0) discard;
        shade = texelFetch(colour, pixel, 0);
        if (strength > 0.0) shade.rgb *= lighting(pixel, there);
        gl_FragDepth = there;
      }`,
  });
}
