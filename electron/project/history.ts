import type { Database } from 'better-sqlite3';
import type { Edit } from '../contract/api.js';

interface Row {
  id: number;
  label: string;
  forward: string;
  backward: string;
}

/**
 * Undo and redo: every edit with the edits that take it back. Lives in the file, so it survives closing the project.
 */
export class History {
  constructor(
    private readonly database: Database,
    private readonly perform: (edit: Edit) => void,
  ) {}

  /** Applies an edit and remembers it; what had been undone can no longer be redone. */
  apply(edit: Edit, label: string, backward: readonly Edit[]): void {
    this.database.transaction(() => {
      this.perform(edit);
      this.database.prepare('DELETE FROM edits WHERE undone = 1').run();
      this.database
        .prepare('INSERT INTO edits (label, forward, backward) VALUES (?, ?, ?)')
        .run(label, JSON.stringify(edit), JSON.stringify(backward));
    })();
  }

  /** @returns the label of what was taken back, or undefined when there is nothing */
  undo(): string | undefined {
    const row = this.next('undo');
    if (!row) return undefined;
    this.database.transaction(() => {
      for (const edit of JSON.parse(row.backward) as Edit[]) this.perform(edit);
      this.database.prepare('UPDATE edits SET undone = 1 WHERE id = ?').run(row.id);
    })();
    return row.label;
  }

  redo(): string | undefined {
    const row = this.next('redo');
    if (!row) return undefined;
    this.database.transaction(() => {
      this.perform(JSON.parse(row.forward) as Edit);
      this.database.prepare('UPDATE edits SET undone = 0 WHERE id = ?').run(row.id);
    })();
    return row.label;
  }

  label(direction: 'undo' | 'redo'): string | undefined {
    return this.next(direction)?.label;
  }

  private next(direction: 'undo' | 'redo'): Row | undefined {
    const order = direction === 'undo' ? 'WHERE undone = 0 ORDER BY id DESC' : 'WHERE undone = 1 ORDER BY id';
    return this.database.prepare(`SELECT * FROM edits ${order} LIMIT 1`).get() as Row | undefined;
  }
}
