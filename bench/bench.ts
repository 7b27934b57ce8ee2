/** What every measurement needs: an emulator with images, and deployed stacks. */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { type Emulator, startEmulator } from "acr-emulator";
import { environment } from "../scripts/environment";
import { printStatus } from "../scripts/progress";
import { createImages } from "./emulator";
import type { Program, SourceImage } from "./programs";
import { Stack } from "./stack";

export class Bench {
  private readonly stacks = new Map<string, Promise<Stack>>();

  private constructor(
    readonly emulator: Emulator,
    /** The environment of commands; they reach only the emulator. */
    readonly env: NodeJS.ProcessEnv,
    /** A temporary folder. */
    readonly folder: string,
  ) {}

  /**
   * @param engine - The folder with `pulumi`.
   * @param folder - A temporary folder.
   */
  static async open(engine: string, folder: string): Promise<Bench> {
    const emulator = await startEmulator({ caller: {} });
    const home = path.join(folder, "home");
    await mkdir(home);
    const plain = environment(home);
    const env = { ...plain, ...emulator.env, PATH: [engine, plain.PATH].join(path.delimiter) };
    return new Bench(emulator, env, folder);
  }

  close(): Promise<void> {
    return this.emulator.close();
  }

  /**
   * A new stack, which is not deployed.
   *
   * @param sources - What its resources are about, or the number of images to create.
   */
  async newStack(program: Program, sources: number | readonly SourceImage[]): Promise<Stack> {
    return Stack.create(program, typeof sources === "number" ? createImages(this.emulator, sources) : sources, this);
  }

  /** A stack that is deployed once and then only measured while nothing changes. */
  deployed(program: Program, sources: number | readonly SourceImage[]): Promise<Stack> {
    const count = typeof sources === "number" ? sources : sources.length;
    const from = typeof sources === "number" ? "" : ` of ${sources[0]?.reference}`;
    const key = `${count} × ${program.title}${from}`;
    const found = this.stacks.get(key);
    if (found !== undefined) return found;
    printStatus(`first deployment of ${key}`);
    const made = this.newStack(program, sources).then(async (stack) => {
      await stack.deployQuickly();
      return stack;
    });
    this.stacks.set(key, made);
    return made;
  }
}
