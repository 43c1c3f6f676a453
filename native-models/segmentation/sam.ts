import type { Provider } from '../onnx/provider-names.js';
import { floatTensor, openSession, type Session, type Tensor } from '../onnx/session.js';
import { checkSignature, signatureFaults, type Expected } from '../matching/signature.js';
import { UserError } from '../../electron/contract/errors.js';

/**
 * Segment Anything (Kirillov et al., ICCV 2023) with MobileSAM's small encoder, and Segment Anything 2.1 (Ravi et al.,
 * 2024), as ONNX files of two graphs each: an encoder that looks at a picture once, and a decoder that answers each click
 * or box.
 */
export type SegmentKind = 'sam' | 'sam2';
export type SegmentPart = 'encoder' | 'decoder';

/** Long side of the picture that the encoder looks at, and side of the square that it works on. */
export const SEGMENT_SIDE = 1024;
const MASK_SIDE = 256;

const float = ['float32'];
const embedding: Expected = { name: 'image_embeddings', types: float, shape: [1, 256, 64, 64] };
const embedding2: Expected[] = [
  { name: 'image_embed', types: float, shape: [1, 256, 64, 64] },
  { name: 'high_res_feats_0', types: float, shape: [1, 32, 256, 256] },
  { name: 'high_res_feats_1', types: float, shape: [1, 64, 128, 128] },
];
const prompts: Expected[] = [
  { name: 'point_coords', types: float, shape: [-1, -1, 2] },
  { name: 'point_labels', types: float, shape: [-1, -1] },
  { name: 'mask_input', types: float, shape: [-1, 1, MASK_SIDE, MASK_SIDE] },
  { name: 'has_mask_input', types: float, shape: [1] },
];
const answers: Expected[] = [
  { name: 'masks', types: float, shape: [-1, -1, -1, -1] },
  { name: 'iou_predictions', types: float, shape: [-1, -1] },
];

/** Inputs and outputs of each graph. SAM's encoder pads and normalises by itself; SAM 2.1's is given a square. */
const SIGNATURES: Record<SegmentKind, Record<SegmentPart, { inputs: Expected[]; outputs: Expected[] }>> = {
  sam: {
    encoder: { inputs: [{ name: 'input_image', types: float, shape: [-1, -1, 3] }], outputs: [embedding] },
    decoder: {
      inputs: [embedding, ...prompts, { name: 'orig_im_size', types: float, shape: [2] }],
      outputs: answers,
    },
  },
  sam2: {
    encoder: {
      inputs: [{ name: 'image', types: float, shape: [1, 3, SEGMENT_SIDE, SEGMENT_SIDE] }],
      outputs: embedding2,
    },
    decoder: { inputs: [...embedding2, ...prompts], outputs: answers },
  },
};

const faultsOf = (session: Session, kind: SegmentKind, part: SegmentPart): string[] =>
  signatureFaults(session, SIGNATURES[kind][part].inputs, SIGNATURES[kind][part].outputs);

/** Which graph of which network a session holds; the faults of the one that it is closest to. */
export function segmentKind(session: Session): { kind: SegmentKind; part: SegmentPart } | { faults: string[] } {
  let closest: string[] | undefined;
  for (const kind of ['sam', 'sam2'] as const)
    for (const part of ['encoder', 'decoder'] as const) {
      const faults = faultsOf(session, kind, part);
      if (faults.length === 0) return { kind, part };
      if (!closest || faults.length < closest.length) closest = faults;
    }
  return { faults: closest! };
}

/** A picture to look at, its long side at most SEGMENT_SIDE. */
export interface SegmentPicture {
  /** sRGB [height, width, 3]. */
  pixels: Uint8Array;
  width: number;
  height: number;
}

/** What is asked for, in pixels of the picture, centres at integers. */
export interface Prompt {
  /** On the object, or beside it. */
  points: readonly { x: number; y: number; isObject: boolean }[];
  /** Opposite corners of a box round the object. */
  box?: { x0: number; y0: number; x1: number; y1: number } | undefined;
}

/** A picture that was looked at. */
export interface SegmentView {
  width: number;
  height: number;
  tensors: Record<string, Tensor>;
}

export interface Segmenter {
  look(picture: SegmentPicture): Promise<SegmentView>;
  /** @returns [height, width] of the picture, 1 on the object */
  mask(view: SegmentView, prompt: Prompt): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Of ImageNet, as SAM 2.1 was trained. */
const MEAN = [0.485, 0.456, 0.406] as const;
const DEVIATION = [0.229, 0.224, 0.225] as const;

/** [1, 3, side, side], both sides stretched to the square (bilinear), normalised. */
function square({ pixels, width, height }: SegmentPicture): Tensor {
  const side = SEGMENT_SIDE;
  const values = new Float32Array(3 * side * side);
  for (let y = 0; y < side; y++) {
    const [y0, y1, v] = between(((y + 0.5) * height) / side - 0.5, height);
    for (let x = 0; x < side; x++) {
      const [x0, x1, u] = between(((x + 0.5) * width) / side - 0.5, width);
      for (let c = 0; c < 3; c++) {
        const at = (i: number, j: number): number => pixels[3 * (j * width + i) + c]!;
        const value = (1 - v) * ((1 - u) * at(x0, y0) + u * at(x1, y0)) + v * ((1 - u) * at(x0, y1) + u * at(x1, y1));
        values[(c * side + y) * side + x] = (value / 255 - MEAN[c]!) / DEVIATION[c]!;
      }
    }
  }
  return floatTensor(values, [1, 3, side, side]);
}

/** The two places beside a position, and how far it is from the first. */
function between(at: number, count: number): [number, number, number] {
  const inside = Math.max(0, Math.min(count - 1, at));
  const first = Math.min(count - 1, Math.floor(inside));
  return [first, Math.min(count - 1, first + 1), inside - first];
}

/** Clicks are 1 (object) and 0, corners of a box 2 and 3; without a box a place that counts as none (-1) ends them. */
function promptTensors({ points, box }: Prompt, scaleX: number, scaleY: number): Record<string, Tensor> {
  const all = points.map(({ x, y, isObject }): [number, number, number] => [x, y, isObject ? 1 : 0]);
  if (box) {
    all.push([Math.min(box.x0, box.x1), Math.min(box.y0, box.y1), 2]);
    all.push([Math.max(box.x0, box.x1), Math.max(box.y0, box.y1), 3]);
  } else all.push([0, 0, -1]);
  return {
    point_coords: floatTensor(Float32Array.from(all.flatMap(([x, y]) => [x * scaleX, y * scaleY])), [1, all.length, 2]),
    point_labels: floatTensor(
      Float32Array.from(all, ([, , label]) => label),
      [1, all.length],
    ),
    mask_input: floatTensor(new Float32Array(MASK_SIDE ** 2), [1, 1, MASK_SIDE, MASK_SIDE]),
    has_mask_input: floatTensor(new Float32Array(1), [1]),
  };
}

/** Of the masks that the decoder offers the one that it is surest of, at the picture's size. */
function bestMask(masks: Tensor, sure: Tensor, width: number, height: number): Uint8Array {
  const [, count, h, w] = masks.dims as [number, number, number, number];
  const scores = sure.data as Float32Array;
  let best = 0;
  for (let k = 1; k < Math.min(count, scores.length); k++) if (scores[k]! > scores[best]!) best = k;
  const logits = (masks.data as Float32Array).subarray(best * w * h, (best + 1) * w * h);
  const out = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const [y0, y1, v] = between(((y + 0.5) * h) / height - 0.5, h);
    for (let x = 0; x < width; x++) {
      const [x0, x1, u] = between(((x + 0.5) * w) / width - 0.5, w);
      const upper = (1 - u) * logits[y0 * w + x0]! + u * logits[y0 * w + x1]!;
      const lower = (1 - u) * logits[y1 * w + x0]! + u * logits[y1 * w + x1]!;
      out[y * width + x] = (1 - v) * upper + v * lower > 0 ? 1 : 0;
    }
  }
  return out;
}

/**
 * Opens the two graphs of one network.
 *
 * @throws UserError 'bad-input' when inputs or outputs are others, or the graphs are of two networks
 */
export async function openSegmenter(
  paths: Record<SegmentPart, string>,
  provider: Provider = 'cpu',
  threads?: number,
): Promise<Segmenter> {
  const encoder = await openSession(paths.encoder, provider, threads);
  const decoder = await openSession(paths.decoder, provider, threads);
  const close = async (): Promise<void> => {
    await encoder.release();
    await decoder.release();
  };
  try {
    const [looks, tells] = [segmentKind(encoder), segmentKind(decoder)];
    if ('faults' in looks) checkSignature('an encoder of Segment Anything', paths.encoder, looks.faults);
    if ('faults' in tells) checkSignature('a decoder of Segment Anything', paths.decoder, tells.faults);
    const kinds = [looks, tells].map((each) => ('faults' in each ? '' : `${each.kind} ${each.part}`));
    if (kinds[0] !== 'sam encoder' && kinds[0] !== 'sam2 encoder')
      throw new UserError('bad-input', `this is the decoder, where the encoder is expected: ${paths.encoder}`);
    if (kinds[1] !== kinds[0].replace('encoder', 'decoder'))
      throw new UserError('bad-input', `this is not the decoder that belongs to the encoder: ${paths.decoder}`);
    const kind = kinds[0] === 'sam encoder' ? 'sam' : 'sam2';
    return {
      look: (picture) => look(encoder, kind, picture),
      mask: (view, prompt) => ask(decoder, kind, view, prompt),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function look(encoder: Session, kind: SegmentKind, picture: SegmentPicture): Promise<SegmentView> {
  const { pixels, width, height } = picture;
  const tensors = await encoder.run(
    kind === 'sam'
      ? { input_image: floatTensor(Float32Array.from(pixels), [height, width, 3]) }
      : { image: square(picture) },
  );
  return { width, height, tensors: { ...tensors } };
}

async function ask(
  decoder: Session,
  kind: SegmentKind,
  { width, height, tensors }: SegmentView,
  prompt: Prompt,
): Promise<Uint8Array> {
  // Places are told on the picture's long side of 1024 (SAM), or on the square that it was stretched to.
  const whole = SEGMENT_SIDE / Math.max(width, height);
  const [scaleX, scaleY] = kind === 'sam' ? [whole, whole] : [SEGMENT_SIDE / width, SEGMENT_SIDE / height];
  const { masks, iou_predictions: sure } = await decoder.run({
    ...tensors,
    ...promptTensors(prompt, scaleX, scaleY),
    ...(kind === 'sam' ? { orig_im_size: floatTensor(Float32Array.of(height, width), [2]) } : {}),
  });
  return bestMask(masks!, sure!, width, height);
}
