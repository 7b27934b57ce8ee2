import { ArmError } from "./arm-error";

/*
 * The part of the Kusto query language that finds resources:
 *
 *   query      := table ("|" stage)*
 *   stage      := "where" or | "project" name ("," name)* | ("limit" | "take") number
 *               | ("order" | "sort") "by" name ("asc" | "desc")?
 *   or         := and ("or" and)*
 *   and        := term ("and" term)*
 *   term       := "(" or ")" | operand operator operand | operand ("in" | "in~") "(" operand ("," operand)* ")"
 *   operator   := "==" | "=~" | "!=" | "!~" | "contains" | "startswith" | "endswith"
 *   operand    := text | number | name | ("tolower" | "tostring") "(" operand ")"
 */

type Row = Record<string, unknown>;
type Value = (row: Row) => unknown;
type Condition = (row: Row) => boolean;

const tokenGrammar = /\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(\d+)|(in~|[A-Za-z_][\w.]*)|(==|=~|!=|!~|[|(),]))/y;

interface Token {
  readonly kind: "text" | "number" | "name" | "sign";
  readonly value: string;
}

/** Runs a query over rows; what the emulator does not understand is refused, never ignored. */
export function runQuery(query: string, rows: readonly Row[]): Row[] {
  const parser = new QueryParser(tokenize(query));
  return parser.run(rows);
}

function tokenize(query: string): Token[] {
  const tokens: Token[] = [];
  tokenGrammar.lastIndex = 0;
  const text = query.trim();
  while (tokenGrammar.lastIndex < text.length) {
    const at = tokenGrammar.lastIndex;
    const match = tokenGrammar.exec(text);
    if (!match) throw invalid(`unexpected '${text.slice(at, at + 20)}'`);
    const [, single, double, number, name, sign] = match;
    const quoted = single ?? double;
    if (quoted !== undefined) tokens.push({ kind: "text", value: quoted.replace(/\\(.)/g, "$1") });
    else if (number !== undefined) tokens.push({ kind: "number", value: number });
    else if (name !== undefined) tokens.push({ kind: "name", value: name });
    else if (sign !== undefined) tokens.push({ kind: "sign", value: sign });
  }
  return tokens;
}

class QueryParser {
  #position = 0;

  constructor(readonly tokens: readonly Token[]) {}

  run(all: readonly Row[]): Row[] {
    const table = this.#name();
    if (table.toLowerCase() !== "resources") throw invalid(`unknown table '${table}'`);
    let rows = [...all];
    while (this.#position < this.tokens.length) {
      this.#expect("|");
      rows = this.#stage(rows);
    }
    return rows;
  }

  #stage(rows: Row[]): Row[] {
    const keyword = this.#name().toLowerCase();
    switch (keyword) {
      case "where":
        return rows.filter(this.#or());
      case "project": {
        const names = this.#names();
        return rows.map((row) => Object.fromEntries(names.map((name) => [columnName(name), member(row, name)])));
      }
      case "limit":
      case "take":
        return rows.slice(0, Number(this.#next().value));
      case "order":
      case "sort": {
        this.#expect("by");
        const name = this.#name();
        const direction = this.#take("asc") ? 1 : -1;
        if (direction < 0) this.#take("desc");
        return rows.sort(
          (left, right) => direction * String(member(left, name)).localeCompare(String(member(right, name))),
        );
      }
      default:
        throw invalid(`unknown operator '${keyword}'`);
    }
  }

  #or(): Condition {
    const parts = [this.#and()];
    while (this.#take("or")) parts.push(this.#and());
    return (row) => parts.some((part) => part(row));
  }

  #and(): Condition {
    const parts = [this.#term()];
    while (this.#take("and")) parts.push(this.#term());
    return (row) => parts.every((part) => part(row));
  }

  #term(): Condition {
    if (this.#take("(")) {
      const inner = this.#or();
      this.#expect(")");
      return inner;
    }
    const left = this.#operand();
    const operator = this.#next().value.toLowerCase();
    if (operator === "in" || operator === "in~") {
      const compare = comparison(operator === "in" ? "==" : "=~");
      this.#expect("(");
      const options = [this.#operand()];
      while (this.#take(",")) options.push(this.#operand());
      this.#expect(")");
      return (row) => options.some((option) => compare(text(left(row)), text(option(row))));
    }
    const compare = comparison(operator);
    const right = this.#operand();
    return (row) => compare(text(left(row)), text(right(row)));
  }

  #operand(): Value {
    const { kind, value } = this.#next();
    if (kind === "text" || kind === "number") return () => value;
    if (kind !== "name") throw invalid(`unexpected '${value}'`);
    const context = value.toLowerCase();
    if ((context === "tolower" || context === "tostring") && this.#take("(")) {
      const inner = this.#operand();
      this.#expect(")");
      return (row) => (context === "tolower" ? text(inner(row)).toLowerCase() : text(inner(row)));
    }
    return (row) => member(row, value);
  }

  #names(): string[] {
    const names = [this.#name()];
    while (this.#take(",")) names.push(this.#name());
    return names;
  }

  #name(): string {
    const token = this.#next();
    if (token.kind !== "name") throw invalid(`unexpected '${token.value}'`);
    return token.value;
  }

  #next(): Token {
    const token = this.tokens[this.#position++];
    if (!token) throw invalid("unexpected end");
    return token;
  }

  #take(value: string): boolean {
    const token = this.tokens[this.#position];
    if (!token || token.kind === "text" || token.value.toLowerCase() !== value) return false;
    this.#position++;
    return true;
  }

  #expect(value: string): void {
    if (!this.#take(value))
      throw invalid(`'${value}' expected, found '${this.tokens[this.#position]?.value ?? "the end"}'`);
  }
}

function comparison(operator: string): (left: string, right: string) => boolean {
  const lower = (compare: (left: string, right: string) => boolean) => (left: string, right: string) =>
    compare(left.toLowerCase(), right.toLowerCase());
  switch (operator) {
    case "==":
      return (left, right) => left === right;
    case "!=":
      return (left, right) => left !== right;
    case "=~":
      return lower((left, right) => left === right);
    case "!~":
      return lower((left, right) => left !== right);
    case "contains":
      return lower((left, right) => left.includes(right));
    case "startswith":
      return lower((left, right) => left.startsWith(right));
    case "endswith":
      return lower((left, right) => left.endsWith(right));
    default:
      throw invalid(`unknown comparison '${operator}'`);
  }
}

function member(row: Row, path: string): unknown {
  return path.split(".").reduce<unknown>((value, key) => (isRow(value) ? value[key] : undefined), row);
}

function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null;
}

function columnName(path: string): string {
  return path.replaceAll(".", "_");
}

function text(value: unknown): string {
  return value === undefined || value === null ? "" : String(value);
}

function invalid(reason: string): ArmError {
  return new ArmError(400, "BadRequest", `Please provide below info when asking for support. InvalidQuery: ${reason}`);
}
