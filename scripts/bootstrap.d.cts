/** Types of bootstrap.cjs. */

/** Installs missing packages in the checkout `root` and builds its dist/ when it is stale. */
export function bootstrap(root: string, options: readonly ("--no-build" | "--build")[]): Promise<void>;
export function isInstalled(root: string): boolean;
export function isBuilt(root: string): boolean;
