/** The stages of a run, in order, as people see them. The engine's part of the table is engine/stages.ts. */
export const stages = [
  { name: 'photos', title: 'Photos' },
  { name: 'pairs', title: 'Pairs' },
  { name: 'sparse', title: 'Cameras' },
  { name: 'pointmaps', title: 'Depth' },
  { name: 'alignment', title: 'Alignment' },
  { name: 'cloud', title: 'Cloud' },
] as const;

export type StageName = (typeof stages)[number]['name'];

export const stageNames = stages.map(({ name }) => name) as [StageName, ...StageName[]];

export const stageTitle = (name: StageName): string => stages.find((stage) => stage.name === name)!.title;
