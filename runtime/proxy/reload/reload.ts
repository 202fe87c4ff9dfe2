import type { FileReader } from '../../config/file-reader';
import { ConfigError } from '../../config/load';
import { checkReload } from '../../config/reload-checks';
import type { Config } from '../../config/schema';
import type { App } from '../app';
import { isUnchanged, needsRestart } from './config-changes';
import { type ConfigReading, readConfigFile } from './config-source';
import { Reloader } from './reloader';

/**
 * Has the program follow its file:
 *
 *     a file changed, SIGHUP ─▶ read, check ─┬─ refused: told, nothing changes
 *                                            ├─ as it was: nothing happens
 *                                            └─ other: App.apply, told
 *
 * @param running the configuration at the start: what listens now
 * @param reader what read it
 */
export function reloadInto(app: App, running: Config, file: string, reader: FileReader): Reloader {
  let config = running;
  const { record } = app;
  const take = async (reading: ConfigReading, asked: boolean): Promise<void> => {
    if (!reading.ok) {
      record.refused(reading.error.problems, asked);
      return;
    }
    const next = reading.config;
    const problems = checkReload(config, next);
    if (problems.length > 0) {
      record.refused(problems, asked);
      return;
    }
    try {
      const changes = await app.apply(next);
      config = next;
      if (isUnchanged(changes)) record.unchanged();
      else record.applied(changes, needsRestart(running, next));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      record.refused(error.problems, asked);
    }
  };
  return new Reloader({
    read: () => readConfigFile(file, process.env, reader),
    take,
    onError: (error) => record.failed(error),
  });
}
