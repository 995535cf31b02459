// What forms are made of. The forms themselves are in `renaksi-client/forms`, generated from the document.

/** A text in both languages. */
export interface Texts {
  readonly en: string;
  readonly id: string;
}

/** The words of a member, each with its label. */
export type Labels = Readonly<Record<string, Texts>>;

/** A member that a person fills in. */
export interface Field {
  readonly label: Texts;
  readonly hint: Texts;
  readonly kind: "text" | "long_text" | "decimal" | "integer" | "date" | "instant" | "boolean" | "choice" | "list" | "object";
  /** Whether a new one needs it. */
  readonly required: boolean;
  /** Whether null clears it. */
  readonly nullable: boolean;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  /** A regular expression that the whole text matches. */
  readonly pattern?: string;
  readonly choices?: readonly { readonly value: string; readonly label: Texts }[];
}

/** The members of a request body, by their names. */
export type Form = Readonly<Record<string, Field>>;
