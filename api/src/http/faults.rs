//! Every code of a field error, with what it means in two languages.

/// The kind of a field error, as a stable word on which clients branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The stable word.
    pub code: &'static str,
    /// What it means, in English.
    pub text: &'static str,
    /// What it means, in Indonesian.
    pub text_id: &'static str,
}

const fn fault(code: &'static str, text: &'static str, text_id: &'static str) -> Fault {
    Fault { code, text, text_id }
}

/// Every code, in alphabetical order. Rows of a push may also have the code of a problem.
pub const ALL: &[Fault] = &[
    fault("address_not_allowed", "Messages may not be sent to this address.", "Pesan tidak boleh dikirim ke alamat ini."),
    fault(
        "against_direction",
        "The target is on the wrong side of the baseline for the direction of the KPI.",
        "Target berada di sisi yang salah dari nilai awal menurut arah KPI.",
    ),
    fault("before_previous", "The day is before that of the previous entry.", "Harinya mendahului hari catatan sebelumnya."),
    fault("before_start", "The end is before the start.", "Akhirnya mendahului awalnya."),
    fault("cycle", "Something would stand below itself.", "Ada yang akan berada di bawah dirinya sendiri."),
    fault(
        "differs_in_case",
        "The code differs from an existing one only in upper and lower case.",
        "Kode ini berbeda dengan kode yang sudah ada hanya pada huruf besar dan kecilnya.",
    ),
    fault(
        "duplicate_key",
        "An earlier row of the push has the same key.",
        "Baris sebelumnya dalam kiriman memiliki kunci yang sama.",
    ),
    fault("exactly_one", "Exactly one of these members has to be given.", "Tepat satu dari anggota ini harus diberikan."),
    fault("in_future", "The time lies in the future.", "Waktunya berada di masa depan."),
    fault("in_the_future", "The day is after today.", "Harinya setelah hari ini."),
    fault("invalid_invitation", "The invitation is not good any more.", "Undangan ini tidak berlaku lagi."),
    fault("invalid_value", "The value is not allowed here.", "Nilai ini tidak diperbolehkan di sini."),
    fault("malformed_json", "The text is not valid JSON.", "Teks ini bukan JSON yang sah."),
    fault("not_a_village", "The region is not a village.", "Wilayah ini bukan desa."),
    fault("not_allowed", "The value is not among those that are allowed.", "Nilai ini tidak termasuk yang diperbolehkan."),
    fault("not_unique", "The same entry occurs twice.", "Entri yang sama ada dua kali."),
    fault("nul_character", "A NUL character is not allowed.", "Karakter NUL tidak diperbolehkan."),
    fault("outside_own_opd", "This belongs to another OPD.", "Ini milik OPD lain."),
    fault("outside_range", "The value lies outside the bounds.", "Nilainya berada di luar batas."),
    fault("period_not_begun", "The period has not begun.", "Periodenya belum dimulai."),
    fault("read_only", "Only the service writes this member.", "Anggota ini hanya ditulis oleh layanan."),
    fault("reason_required", "A reason is required here.", "Di sini diperlukan alasan."),
    fault("repeated_member", "The member occurs twice in the object.", "Anggota ini ada dua kali dalam objek."),
    fault("required", "The member is required.", "Anggota ini wajib ada."),
    fault("too_few", "The list has too few entries.", "Daftar ini memuat terlalu sedikit entri."),
    fault("too_large", "The number is too large.", "Bilangan ini terlalu besar."),
    fault("too_long", "The text is too long.", "Teks ini terlalu panjang."),
    fault("too_many", "The list has too many entries.", "Daftar ini memuat terlalu banyak entri."),
    fault("too_short", "The text is too short.", "Teks ini terlalu pendek."),
    fault("too_small", "The number is too small.", "Bilangan ini terlalu kecil."),
    fault("unknown_column", "The column is not known here.", "Kolom ini tidak dikenal di sini."),
    fault("unknown_event_type", "No event has this type.", "Tidak ada kejadian dengan jenis ini."),
    fault("unknown_field", "The member is not known here.", "Anggota ini tidak dikenal di sini."),
    fault("unknown_parameter", "The query parameter is not known here.", "Parameter kueri ini tidak dikenal di sini."),
    fault(
        "unknown_reference",
        "Nothing has the code or id that is referred to.",
        "Tidak ada data dengan kode atau id yang dirujuk.",
    ),
    fault(
        "unknown_separator",
        "The columns are separated by something other than a comma, a semicolon or a tab.",
        "Kolom dipisahkan oleh tanda selain koma, titik koma atau tab.",
    ),
    fault("weak_password", "The password is too easy to guess.", "Kata sandi ini terlalu mudah ditebak."),
    fault("wrong_code", "The one-time code is wrong.", "Kode sekali pakai ini salah."),
    fault("wrong_format", "The text does not have the expected form.", "Teks ini tidak berbentuk seperti yang seharusnya."),
    fault(
        "wrong_frequency",
        "The period does not fit the frequency of the KPI.",
        "Periode ini tidak sesuai dengan frekuensi KPI.",
    ),
    fault("wrong_hash", "The hash is not that of the content.", "Hash ini bukan hash dari isinya."),
    fault("wrong_level", "The region cannot stand below this one.", "Wilayah ini tidak dapat berada di bawah wilayah tersebut."),
    fault(
        "wrong_number_of_cells",
        "The row has more or fewer cells than the header.",
        "Baris ini memiliki lebih banyak atau lebih sedikit sel daripada baris judul.",
    ),
    fault("wrong_password", "The password is wrong.", "Kata sandi ini salah."),
    fault("wrong_pattern", "The text does not have the expected form.", "Teks ini tidak berbentuk seperti yang seharusnya."),
    fault("wrong_type", "The value has another type than expected.", "Nilai ini berjenis lain dari yang seharusnya."),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use regex::Regex;

    use super::*;

    fn sources(folder: &Path, texts: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, texts);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                texts.push(text.split("#[cfg(test)]").next().unwrap_or_default().to_owned());
            }
        }
    }

    #[test]
    fn the_codes_are_those_that_the_service_uses() {
        let mut texts = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut texts);
        let codes = ALL.iter().map(|fault| fault.code).collect::<BTreeSet<_>>();
        assert!(codes.iter().eq(ALL.iter().map(|fault| &fault.code)), "they are sorted, and each is there once");
        let table = "fault(\"";
        for code in &codes {
            let quoted = format!("\"{code}\"");
            assert!(texts.iter().any(|text| !text.contains(table) && text.contains(&quoted)), "nothing has the code {code}");
        }
        // A place, which may be a call of its own, and then the code.
        let calls = Regex::new(
            r#"(?:FieldError::at|FieldError::in_parameter|ApiError::field_error|Self::field_error)\(\s*(?:[^(),]|\((?:[^()]|\([^()]*\))*\))*,\s*"([a-z_]+)""#,
        );
        let calls = calls.unwrap();
        let used =
            texts.iter().flat_map(|text| calls.captures_iter(text)).map(|call| call[1].to_owned()).collect::<BTreeSet<_>>();
        assert!(used.len() > 25, "only {used:?} were found");
        for code in used {
            assert!(codes.contains(code.as_str()), "{code} is not in the table");
        }
    }

    #[test]
    fn every_text_is_a_sentence_in_each_language() {
        for Fault { code, text, text_id } in ALL {
            assert!(text.ends_with('.') && text_id.ends_with('.') && text != text_id, "{code}");
        }
    }
}
