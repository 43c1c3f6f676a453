import { Beside } from './Beside.js';
import { Calibration } from './Calibration.js';
import { Reading } from '../videos/Reading.js';
import { PhotoList } from './PhotoList.js';

/** The first step: which photos, and what is known of their cameras. */
export function PhotosStep() {
  return (
    <>
      <Reading />
      <PhotoList />
      <Beside />
      <Calibration />
    </>
  );
}
