/** A model that `models add` can fetch from its publisher. */
export interface CatalogEntry {
  id: string;
  title: string;
  architecture: 'dust3r' | 'croco' | 'da3';
  licence: string;
  nonCommercial: boolean;
  licenceAddress: string;
  inputSize: number;
  /** Bytes, about: for the free-space check before the publisher's own figure is known. */
  bytes: number;
  /**
   * Where the file lies. `repository` is a Hugging Face model, whose metadata holds each file's SHA-256; a bare address
   * comes with none, so only its length and content are checked.
   */
  origin: { repository: string; files: string[] } | { address: string };
}

const naver = {
  licence: 'CC-BY-NC-SA-4.0',
  nonCommercial: true,
  licenceAddress: 'https://creativecommons.org/licenses/by-nc-sa/4.0/',
};
const dust3r = (id: string, title: string, repository: string, inputSize: number, bytes: number): CatalogEntry => ({
  id,
  title,
  architecture: 'dust3r',
  ...naver,
  inputSize,
  bytes,
  origin: { repository, files: ['config.json', 'model.safetensors'] },
});

/** Weights that anyone may use for anything. The larger sizes of the same network are not for paid work. */
const da3 = (id: string, title: string, repository: string, bytes: number): CatalogEntry => ({
  id,
  title,
  architecture: 'da3',
  licence: 'Apache-2.0',
  nonCommercial: false,
  licenceAddress: 'https://www.apache.org/licenses/LICENSE-2.0',
  inputSize: 504,
  bytes,
  origin: { repository, files: ['config.json', 'model.safetensors'] },
});

export const catalog: readonly CatalogEntry[] = [
  da3('da3-small', 'Depth Anything 3 Small', 'depth-anything/DA3-SMALL', 320_000_000),
  da3('da3-base', 'Depth Anything 3 Base', 'depth-anything/DA3-BASE', 480_000_000),
  dust3r(
    'dust3r-224-linear',
    'DUSt3R ViT-L 224 linear',
    'naver/DUSt3R_ViTLarge_BaseDecoder_224_linear',
    224,
    2_130_000_000,
  ),
  dust3r(
    'dust3r-512-linear',
    'DUSt3R ViT-L 512 linear',
    'naver/DUSt3R_ViTLarge_BaseDecoder_512_linear',
    512,
    2_130_000_000,
  ),
  dust3r('dust3r-512-dpt', 'DUSt3R ViT-L 512 DPT', 'naver/DUSt3R_ViTLarge_BaseDecoder_512_dpt', 512, 2_290_000_000),
  {
    id: 'croco-v2',
    title: 'CroCo v2 ViT-L',
    architecture: 'croco',
    ...naver,
    inputSize: 224,
    bytes: 1_680_000_000,
    origin: { address: 'https://download.europe.naverlabs.com/ComputerVision/CroCo/CroCo_V2_ViTLarge_BaseDecoder.pth' },
  },
];
