//! What the columns of the data sets are called and what they say, in English and in Indonesian.
//!
//! Members of kinds say it themselves; here are the parts of objects, and the members of figures, of which the schema has the English
//! description.

use crate::tabular::columns::TableColumn;

/// A title and a description, each in English and in Indonesian.
pub(super) struct Labels {
    /// What a column is called.
    pub(super) title: [String; 2],
    /// What it says.
    pub(super) description: [String; 2],
}

/// Those of a column.
pub(super) fn of(column: &TableColumn) -> Labels {
    let parts = column.column.name.split('.').collect::<Vec<_>>();
    let own = |key: &str| column.member["x-label"][key].as_str();
    let called = |depth: usize, part: &str, language: usize| {
        let own = own(["en", "id"][language]).filter(|_| depth == 0);
        own.unwrap_or_else(|| known(part).map_or("", |word| [word.1, word.2][language])).to_owned()
    };
    let title = [0, 1].map(|language| {
        let titles = parts.iter().enumerate().map(|(depth, part)| called(depth, part, language));
        titles.collect::<Vec<_>>().join(": ")
    });
    let last = parts.last().copied().unwrap_or_default();
    let said = column.member["x-description-id"].as_str().filter(|text| parts.len() == 1 && !text.is_empty());
    let id = said.or_else(|| known(last).map(|word| word.3)).unwrap_or_default().to_owned();
    let en = column.schema["description"].as_str().map_or_else(|| format!("{}.", title[0]), |text| text.replace('\n', " "));
    Labels { title, description: [en, id].map(without_expansion) }
}

/// A description without what it says of the parameter `expand`, which tables do not have.
fn without_expansion(text: String) -> String {
    text.split(" `expand=").next().unwrap_or_default().to_owned()
}

/// What is known of a member by its name alone.
fn known(name: &str) -> Option<&'static (&'static str, &'static str, &'static str, &'static str)> {
    WORDS.iter().find(|word| word.0 == name)
}

/// Names, with titles in English and in Indonesian, and what they say in Indonesian.
#[rustfmt::skip]
const WORDS: &[(&str, &str, &str, &str)] = &[
    ("achieved", "Achieved", "Tercapai", "Jumlah IKU yang targetnya tercapai."),
    ("achievement", "Achievement", "Capaian", "Capaian terhadap target, dalam persen."),
    ("actions", "Actions", "Rencana aksi", "Rencana aksi."),
    ("age", "Age of the data", "Umur data", "Seberapa lama data terakhir."),
    ("as_of", "As of", "Per tanggal", "Hari yang pada akhirnya angka ini berlaku."),
    ("at_risk", "At risk", "Berisiko", "Jumlah IKU yang targetnya terancam tidak tercapai."),
    ("band", "Performance band", "Predikat kinerja", "Predikat kinerja menurut capaian."),
    ("baseline", "Baseline", "Nilai awal", "Nilai dan periode awal."),
    ("basis", "Basis", "Dasar", "Bagaimana fakta diperoleh dari sumbernya: dinyatakan, disimpulkan, atau diturunkan."),
    ("bounded", "Ends at a bound", "Berhenti di batas", "Apakah proyeksi berhenti di nilai minimum atau maksimum IKU."),
    ("by_standing", "By standing", "Menurut kondisi", "Jumlah menurut kondisi IKU."),
    ("by_status", "By status", "Menurut status", "Jumlah menurut status program."),
    ("cancelled", "Cancelled", "Dibatalkan", "Jumlah program yang dibatalkan."),
    ("commitment", "Joint commitment", "Komitmen bersama", "Komitmen bersama yang ditandatangani OPD."),
    ("completed", "Completed", "Selesai", "Jumlah program yang telah selesai."),
    ("components", "Components", "Pembangun", "Indikator atau variabel pembangun indikator."),
    ("composite", "Composite", "Komposit", "Apakah indikator tersusun dari indikator lain."),
    ("concept", "Concept", "Konsep", "Konsep yang mendasari indikator."),
    ("confidence", "Confidence", "Keyakinan", "Seberapa dapat diandalkan proyeksi, menurut jumlah nilainya."),
    ("date", "Date", "Tanggal", "Hari sumber diterbitkan."),
    ("definition", "Definition", "Definisi", "Batasan indikator."),
    ("dimension", "Dimension", "Dimensi", "Kode dimensi kota cerdas."),
    ("direction", "Direction", "Arah", "Ke arah mana IKU seharusnya bergerak."),
    ("done", "Done", "Selesai", "Jumlah yang sudah selesai."),
    ("due", "Due", "Jatuh tempo", "Jumlah laporan yang sudah jatuh tempo."),
    ("due_on", "Due", "Batas waktu", "Hari terakhir seharusnya data berikutnya tersedia."),
    ("effective_on", "In force from", "Berlaku sejak", "Hari pertama keadaan ini berlaku."),
    ("ends_on", "Ends on", "Berakhir pada", "Hari terakhir periode; untuk langkah terakhir hari terakhir lini masa, jika lebih awal."),
    ("expected", "Expected", "Seharusnya", "Kemajuan yang seharusnya menurut target, dalam persen."),
    ("explanation", "Explanation", "Penjelasan", "Bagaimana angka dihitung."),
    ("findings", "Findings", "Temuan", "Temuan evaluasi."),
    ("findings_open", "Open findings", "Temuan terbuka", "Jumlah temuan yang belum selesai."),
    ("formula", "Formula", "Rumus", "Metode atau rumus penghitungan nilainya."),
    ("frequency", "Frequency", "Frekuensi", "Seberapa sering IKU diukur."),
    ("from", "From", "Dari", "Status sebelumnya; kosong untuk catatan pertama."),
    ("in_progress", "In progress", "Dalam proses", "Jumlah temuan yang sedang ditindaklanjuti."),
    ("inputs", "Inputs", "Masukan", "Nilai yang dimasukkan ke dalam perhitungan, menurut namanya."),
    ("interpolated", "Interpolated", "Hasil interpolasi", "Apakah target terletak pada garis lurus antara dua target, bukan target tersendiri."),
    ("interpretation", "Interpretation", "Interpretasi", "Bagaimana nilainya dibaca."),
    ("kind", "Kind", "Jenis", "Jenisnya."),
    ("known_on", "Known from", "Diketahui sejak", "Hari sejak nilai diperhitungkan."),
    ("kpi", "KPI", "IKU", "Kode IKU."),
    ("kpis", "KPIs", "IKU", "IKU menurut kondisi."),
    ("label", "Label", "Sebutan", "Sebutannya untuk pembaca."),
    ("late", "Late", "Terlambat", "Jumlah yang terlambat."),
    ("latest", "Latest value", "Nilai terakhir", "Nilai terverifikasi terakhir yang diketahui pada hari itu."),
    ("level_of_estimation", "Level of estimation", "Level estimasi", "Wilayah terkecil yang diestimasi."),
    ("masterplan", "Masterplan", "Masterplan", "Kode masterplan; kosong jika semua diperhitungkan."),
    ("measure", "Measure", "Ukuran", "Jenis angkanya, seperti jumlah, persentase, atau indeks."),
    ("met_in", "Target met in", "Target tercapai pada", "Periode ketika proyeksi mencapai target; kosong jika tidak."),
    ("missing", "Missing", "Tidak ada", "Jumlah laporan yang tidak masuk meskipun sudah jatuh tempo."),
    ("name", "Name", "Nama", "Namanya."),
    ("name_en", "Name in English", "Nama dalam bahasa Inggris", "Nama dimensi dalam bahasa Inggris."),
    ("no_data", "No data", "Tanpa data", "Jumlah IKU tanpa nilai terverifikasi atau tanpa target."),
    ("not_started", "Not started", "Belum dimulai", "Jumlah rencana aksi yang belum dimulai."),
    ("off_track", "Off track", "Tidak sesuai jalur", "Jumlah IKU yang jauh dari target."),
    ("on_time", "On time", "Tepat waktu", "Jumlah laporan yang tepat waktu."),
    ("on_track", "On track", "Sesuai jalur", "Jumlah yang sesuai jalur."),
    ("opd", "OPD", "OPD", "Kode OPD."),
    ("opds", "OPDs", "OPD", "Jumlah OPD yang seharusnya menandatangani komitmen bersama."),
    ("open", "Open", "Terbuka", "Jumlah temuan yang belum ditindaklanjuti."),
    ("overdue", "Overdue", "Lewat batas waktu", "Jumlah temuan yang melewati batas waktunya."),
    ("part", "Part", "Bagian", "Bagian angka yang termuat di baris ini."),
    ("period", "Period", "Periode", "Periodenya, seperti 2022, 2022-S1, 2022-Q3, atau 2022-09."),
    ("periods", "Periods since", "Periode sejak itu", "Jumlah periode yang telah berakhir sejak nilai terakhir."),
    ("planned", "Planned", "Direncanakan", "Jumlah program yang direncanakan."),
    ("points", "Points", "Titik", "Jumlah nilai yang mendasari proyeksi."),
    ("predicate", "Predicate", "Predikat", "Predikat nilai terakhir, hanya untuk indeks SPBE."),
    ("presentation", "Presentation", "Klasifikasi penyajian", "Menurut apa nilainya dirinci saat disajikan."),
    ("programme", "Programme", "Program", "Kode program."),
    ("programmes_led", "Programmes led", "Program yang dipimpin", "Program yang dipimpin OPD."),
    ("progress", "Progress", "Kemajuan", "Bagian dari seluruh jalan yang sudah ditempuh, dalam persen."),
    ("projected", "Projection", "Proyeksi", "Kelanjutan laju sejak nilai awal, sebagai garis lurus."),
    ("provenance", "Source of the fact", "Sumber fakta", "Dari mana fakta ini berasal."),
    ("publisher", "Publisher", "Penerbit", "Penerbit sumber."),
    ("q1", "Quarter 1", "Triwulan 1", "Nilai kumulatif sampai akhir triwulan 1."),
    ("q2", "Quarter 2", "Triwulan 2", "Nilai kumulatif sampai akhir triwulan 2."),
    ("q3", "Quarter 3", "Triwulan 3", "Nilai kumulatif sampai akhir triwulan 3."),
    ("q4", "Quarter 4", "Triwulan 4", "Nilai kumulatif sampai akhir triwulan 4."),
    ("quarter", "Quarter", "Triwulan", "Triwulan yang sampai akhirnya rencana aksi dan laporannya dihitung."),
    ("quote", "Quotation", "Kutipan", "Kutipan dari sumber."),
    ("rank", "Rank", "Peringkat", "Peringkat menurut capaian; kosong untuk OPD tanpa capaian."),
    ("reasons", "Reasons", "Alasan", "Langkah-langkah perhitungan, berurutan."),
    ("ref", "Code", "Kode", "Kode penerima, jika penerima tercatat di layanan ini."),
    ("region", "Region", "Wilayah", "Kode Kemendagri desa."),
    ("region_name", "Name of the region", "Nama wilayah", "Nama desa."),
    ("regressed", "Regressed", "Mundur", "Jumlah IKU yang menjauh dari target."),
    ("renaksi", "Action plan", "Renaksi", "Kemajuan rencana aksi, berbobot."),
    ("reports", "Reports", "Laporan", "Laporan atas rencana aksi untuk triwulan."),
    ("required_pace", "Required pace", "Laju yang diperlukan", "Perubahan yang masih diperlukan setiap periode, dalam satuan IKU."),
    ("revision", "Revision", "Revisi", "Nomor revisi: 1 untuk laporan pertama suatu periode, satu lebih banyak untuk setiap koreksi."),
    ("rule", "Rule", "Aturan", "Nama aturan perhitungan."),
    ("rule_version", "Version of the rule", "Versi aturan", "Versi aturan beserta batas-batasnya."),
    ("running", "Running", "Berjalan", "Jumlah program yang berjalan."),
    ("running_percent", "Running, in percent", "Berjalan, dalam persen", "Bagian program yang direncanakan yang berjalan, dalam persen."),
    ("seq", "Order", "Urutan", "Urutan di dalam program, mulai dari 1."),
    ("signatories", "Signatories", "Penanda tangan", "Kode OPD yang menandatangani."),
    ("signed", "Signed", "Menandatangani", "Jumlah OPD yang menandatangani."),
    ("stale", "Stale", "Usang", "Apakah data seharusnya sudah diperbarui."),
    ("standing", "Standing", "Kondisi", "Kondisi IKU terhadap targetnya."),
    ("status", "Status", "Status", "Keadaannya."),
    ("suspended", "Suspended", "Ditangguhkan", "Jumlah program yang ditangguhkan sementara."),
    ("target", "Target", "Target", "Target yang berlaku."),
    ("target_predicate", "Predicate of the target", "Predikat target", "Predikat target, hanya untuk indeks SPBE."),
    ("targets", "Targets", "Target-target", "Semua target, menurut urutan periodenya."),
    ("title", "Title", "Judul", "Judul terbitan."),
    ("to", "To", "Menjadi", "Status sejak saat itu."),
    ("total", "Total", "Jumlah", "Jumlah seluruhnya."),
    ("u1", "U1: requirements", "U1: persyaratan", "Persyaratan."),
    ("u2", "U2: procedure", "U2: prosedur", "Sistem, mekanisme, dan prosedur."),
    ("u3", "U3: time", "U3: waktu", "Waktu penyelesaian."),
    ("u4", "U4: fees", "U4: biaya", "Biaya atau tarif."),
    ("u5", "U5: product", "U5: produk", "Produk spesifikasi jenis pelayanan."),
    ("u6", "U6: competence", "U6: kompetensi", "Kompetensi pelaksana."),
    ("u7", "U7: behaviour", "U7: perilaku", "Perilaku pelaksana."),
    ("u8", "U8: complaints", "U8: pengaduan", "Penanganan pengaduan, saran, dan masukan."),
    ("u9", "U9: facilities", "U9: sarana", "Sarana dan prasarana."),
    ("unit", "Unit", "Satuan", "Satuan nilai."),
    ("url", "Address", "Alamat", "Alamat tempat sumber dapat dibaca."),
    ("value", "Value", "Nilai", "Nilainya, dalam satuan IKU."),
    ("year", "Year", "Tahun", "Tahun rencana aksi."),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::dataset::sources::SOURCES;

    #[test]
    fn every_column_has_a_title_and_a_description_in_both_languages() {
        let mut missing = BTreeSet::new();
        let mut used = BTreeSet::new();
        for source in SOURCES.iter() {
            for column in &source.table.columns {
                let Labels { title, description } = of(column);
                let has_titles = title.iter().all(|title| title.split(": ").all(|part| !part.is_empty()));
                if !has_titles || description.iter().any(String::is_empty) {
                    missing.insert(format!("{} {} | {}", source.dataset.name, column.column.name, description[0]));
                }
                used.extend(column.column.name.split('.').map(str::to_owned));
            }
        }
        assert!(missing.is_empty(), "{}", missing.into_iter().collect::<Vec<_>>().join("\n"));
        let unused = WORDS.iter().map(|word| word.0).filter(|name| !used.contains(*name)).collect::<Vec<_>>();
        assert!(unused.is_empty(), "nothing is called {unused:?}");
    }
}
