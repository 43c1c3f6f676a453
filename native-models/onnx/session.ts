import * as ort from 'onnxruntime-node';

export type Session = ort.InferenceSession;

/** Opens a graph on the given execution providers, in order of preference. */
export async function openSession(path: string, providers: ort.InferenceSession.ExecutionProviderConfig[] = ['cpu'], threads?: number): Promise<Session> {
  return ort.InferenceSession.create(path, {
    executionProviders: providers,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    ...(threads ? { intraOpNumThreads: threads } : {}),
  });
}
