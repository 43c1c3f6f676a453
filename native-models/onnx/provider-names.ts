/** Execution providers of ONNX Runtime that the studio uses, fastest first. */
export const providerNames = ['cuda', 'webgpu', 'dml', 'coreml', 'cpu'] as const;
export type Provider = (typeof providerNames)[number];
