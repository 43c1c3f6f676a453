/** A model that `models add` can fetch from its publisher. */
export interface CatalogEntry {
  id: string;
  title: string;
  architecture: 'dust3r' | 'croco' | 'da3' | 'lightglue' | 'aliked' | 'sam-encoder' | 'sam-decoder';
  licence: string;
  nonCommercial: boolean;
  licenceAddress: string;
  inputSize: number;
  /** Bytes, about: for the free-space check before the publisher's own figure is known. */
  bytes: number;
  /**
   * Where the file lies. `repository` is a Hugging Face model, whose metadata holds each file's SHA-256; a bare address
   * has none unless it is given here, so that only the length and content are checked.
   */
  origin: { repository: string; files: string[] } | { address: string; sha256?: string };
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

/** Ready graphs on COLMAP's release page; the hashes are those that COLMAP itself holds them against. */
const colmap = (
  id: string,
  title: string,
  architecture: 'lightglue' | 'aliked',
  bytes: number,
  sha256: string,
): CatalogEntry => {
  const licence =
    architecture === 'aliked'
      ? { licence: 'BSD-3-Clause', licenceAddress: 'https://github.com/Shiaoming/ALIKED/blob/main/LICENSE' }
      : { licence: 'Apache-2.0', licenceAddress: 'https://github.com/cvg/LightGlue/blob/main/LICENSE' };
  const address = `https://github.com/colmap/colmap/releases/download/3.13.0/${id}.onnx`;
  return {
    id,
    title,
    architecture,
    ...licence,
    nonCommercial: false,
    inputSize: 1600,
    bytes,
    origin: { address, sha256 },
  };
};

/** MobileSAM's two graphs (weights Apache-2.0, the export MIT), by the hashes that its mirrors pin. */
const mobileSam = (part: 'encoder' | 'decoder', file: string, bytes: number, sha256: string): CatalogEntry => ({
  id: `mobilesam-${part}`,
  title: `MobileSAM, ${part}`,
  architecture: `sam-${part}`,
  licence: 'Apache-2.0',
  nonCommercial: false,
  licenceAddress: 'https://github.com/ChaoningZhang/MobileSAM/blob/master/LICENSE',
  inputSize: 1024,
  bytes,
  origin: { address: `https://huggingface.co/Acly/MobileSAM/resolve/main/${file}`, sha256 },
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
  dust3r(
    'mast3r-512',
    'MASt3R ViT-L 512 (its pointmaps)',
    'naver/MASt3R_ViTLarge_BaseDecoder_512_catmlpdpt_metric',
    512,
    2_760_000_000,
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
  colmap(
    'sift-lightglue',
    'LightGlue for SIFT',
    'lightglue',
    50_000_000,
    'e0500228472b43f92b3d36881a09b3310d3b058b56187b246cc7b9ab6429096e',
  ),
  colmap(
    'aliked-lightglue',
    'LightGlue for ALIKED',
    'lightglue',
    50_000_000,
    'b9a5de7204648b18a8cf5dcac819f9d30de1a5961ef03756803c8b86c2dceb8d',
  ),
  colmap(
    'aliked-n16rot',
    'ALIKED n16rot',
    'aliked',
    5_000_000,
    '39c423d0a6f03d39ec89d3d1d61853765c2fb6a8b8381376c703e5758778a547',
  ),
  colmap(
    'aliked-n32',
    'ALIKED n32',
    'aliked',
    5_000_000,
    'a077728a02d2de1a775c66df6de8cfeb7c6b51ca57572c64c680131c988c8b3c',
  ),
  mobileSam(
    'encoder',
    'mobile_sam_image_encoder.onnx',
    28_157_093,
    '580f5fb648ea1062c0aabc26217aed56921985f03f0cbbd852bba81d760cc749',
  ),
  mobileSam(
    'decoder',
    'sam_mask_decoder_single.onnx',
    16_501_323,
    '93915fc7c993ab9d59ab8c9ccd3bce37f7509c81ab4150a74abd4d2abbd8570d',
  ),
];
