/** What the studio uses of js-aruco2, which has no types of its own. */
declare module 'js-aruco2' {
  interface Marker {
    id: number;
    corners: { x: number; y: number }[];
    hammingDistance: number;
  }
  interface Dictionary {
    codeList: string[];
    markSize: number;
  }
  const library: {
    AR: {
      Detector: new (config: { dictionaryName: string; maxHammingDistance: number }) => {
        detect(image: { width: number; height: number; data: Uint8Array }): Marker[];
      };
      Dictionary: new (name: string) => Dictionary;
    };
  };
  export default library;
}
