//! EVERY DATA SET OF THE OPEN DATA, NAMED ONCE: what `dataset.zip` has as files, and what a catalogue lists.

use crate::http::language::Noun;

/// A table of the open data: a list or a figure that everybody can read as CSV.
#[derive(Clone, Copy, Debug)]
pub struct Dataset {
    /// Its name in the data package; the file in the ZIP is called so, with `.csv`.
    pub name: &'static str,
    /// Where it is read as JSON; with `.csv` behind the path it comes as CSV.
    pub path: &'static str,
    /// What it is called.
    pub title: Noun,
    /// What stands in it.
    pub about: Noun,
    /// The columns that identify a row.
    pub key: &'static [&'static str],
}

impl Dataset {
    /// The path of the CSV.
    pub fn csv_path(&self) -> String {
        format!("{}.csv", self.path)
    }
}

/// The address of all of them in one file.
pub const ZIP_PATH: &str = "/v1/public/dataset.zip";

/// What the whole is called.
pub const TITLE: Noun = Noun::new("Smart-city masterplan: open data", "Masterplan kota cerdas: data terbuka");

/// What the whole is.
pub const ABOUT: Noun = Noun::new(
    "Everything that is published and verified of the regency's smart-city masterplan: its programmes, actions, key performance \
     indicators with their targets and verified values, evaluations with findings, surveys, awards, and the figures that are computed \
     from them.",
    "Semua yang diterbitkan dan terverifikasi dari masterplan kota cerdas kabupaten: program, rencana aksi, indikator kinerja utama \
     dengan target dan nilai terverifikasi, evaluasi dengan temuan, survei, penghargaan, serta angka yang dihitung darinya.",
);

/// All of them, in the order in which they explain each other.
pub const DATASETS: &[Dataset] = &[
    Dataset {
        name: "masterplans",
        path: "/v1/public/masterplans",
        title: Noun::new("Masterplans", "Masterplan"),
        about: Noun::new(
            "The masterplans of the smart city, with their legal basis and years.",
            "Masterplan kota cerdas, dengan dasar hukum dan tahunnya.",
        ),
        key: &["code"],
    },
    Dataset {
        name: "dimensions",
        path: "/v1/public/dimensions",
        title: Noun::new("Dimensions", "Dimensi"),
        about: Noun::new("The dimensions of the smart city, such as governance.", "Dimensi kota cerdas, misalnya tata kelola."),
        key: &["code"],
    },
    Dataset {
        name: "opds",
        path: "/v1/public/opds",
        title: Noun::new("Regional government agencies (OPDs)", "Organisasi perangkat daerah (OPD)"),
        about: Noun::new(
            "The agencies of the regency that lead programmes and report values.",
            "Organisasi perangkat daerah yang memimpin program dan melaporkan nilai.",
        ),
        key: &["code"],
    },
    Dataset {
        name: "regions",
        path: "/v1/public/regions",
        title: Noun::new("Regions", "Wilayah"),
        about: Noun::new(
            "The regency, its districts and its villages, by their Kemendagri codes.",
            "Kabupaten, kecamatan, dan desanya, menurut kode Kemendagri.",
        ),
        key: &["code"],
    },
    Dataset {
        name: "programmes",
        path: "/v1/public/programmes",
        title: Noun::new("Programmes", "Program"),
        about: Noun::new(
            "The programmes of the masterplan, with their agencies, budget, status and progress.",
            "Program dalam masterplan, dengan OPD, anggaran, status, dan kemajuannya.",
        ),
        key: &["code"],
    },
    Dataset {
        name: "transitions",
        path: "/v1/public/transitions",
        title: Noun::new("Status histories of the programmes", "Riwayat status program"),
        about: Noun::new(
            "Every status that a programme had, from which day.",
            "Setiap status yang pernah dimiliki program, sejak tanggal berapa.",
        ),
        key: &["programme", "seq"],
    },
    Dataset {
        name: "coverage",
        path: "/v1/public/coverage",
        title: Noun::new("Villages that the programmes reach", "Desa yang dijangkau program"),
        about: Noun::new(
            "What each programme has in each village today: planned or built.",
            "Apa yang dimiliki setiap program di setiap desa hari ini: direncanakan atau terbangun.",
        ),
        key: &["programme", "region"],
    },
    Dataset {
        name: "quick_wins",
        path: "/v1/public/quick-wins",
        title: Noun::new("Quick Wins", "Quick Win"),
        about: Noun::new(
            "Programmes that show results first, with what came of them.",
            "Program yang lebih dahulu menunjukkan hasil, beserta hasilnya.",
        ),
        key: &["code"],
    },
    Dataset {
        name: "kpis",
        path: "/v1/public/kpis",
        title: Noun::new("Key performance indicators (KPIs)", "Indikator kinerja utama (IKU)"),
        about: Noun::new(
            "What is measured, in which unit, from which baseline and in which direction it should move.",
            "Apa yang diukur, dalam satuan apa, dari nilai awal berapa, dan ke arah mana seharusnya bergerak.",
        ),
        key: &["code"],
    },
    Dataset {
        name: "targets",
        path: "/v1/public/targets",
        title: Noun::new("Targets of the KPIs", "Target IKU"),
        about: Noun::new(
            "The value that a KPI is to reach by the end of a period.",
            "Nilai yang harus dicapai IKU pada akhir suatu periode.",
        ),
        key: &["kpi", "period"],
    },
    Dataset {
        name: "measurements",
        path: "/v1/public/measurements",
        title: Noun::new("Verified values of the KPIs", "Nilai IKU yang terverifikasi"),
        about: Noun::new(
            "The verified value of a KPI for each period; where it was corrected, the last verified revision.",
            "Nilai terverifikasi IKU untuk setiap periode; jika dikoreksi, revisi terverifikasi yang terakhir.",
        ),
        key: &["kpi", "period"],
    },
    Dataset {
        name: "actions",
        path: "/v1/public/actions",
        title: Noun::new("Actions (renaksi)", "Rencana aksi (renaksi)"),
        about: Noun::new(
            "What an agency does for a programme within a year, with the target and the verified realisation of each quarter.",
            "Apa yang dilakukan OPD untuk suatu program dalam setahun, dengan target dan realisasi terverifikasi setiap triwulan.",
        ),
        key: &["id"],
    },
    Dataset {
        name: "evaluations",
        path: "/v1/public/evaluations",
        title: Noun::new("Evaluations", "Evaluasi"),
        about: Noun::new(
            "The meetings at which the masterplan was evaluated, with the counts that they were told.",
            "Rapat evaluasi masterplan, dengan jumlah yang disampaikan di rapat.",
        ),
        key: &["code"],
    },
    Dataset {
        name: "findings",
        path: "/v1/public/findings",
        title: Noun::new("Findings of the evaluations", "Temuan evaluasi"),
        about: Noun::new(
            "What the evaluations found, what they recommended, and whether it is done.",
            "Temuan evaluasi, rekomendasinya, dan apakah sudah ditindaklanjuti.",
        ),
        key: &["id"],
    },
    Dataset {
        name: "surveys",
        path: "/v1/public/surveys",
        title: Noun::new("Satisfaction surveys (IKM)", "Survei kepuasan masyarakat (IKM)"),
        about: Noun::new(
            "How satisfied people are with public services, with the index and its grade.",
            "Kepuasan masyarakat terhadap pelayanan publik, dengan indeks dan mutunya.",
        ),
        key: &["id"],
    },
    Dataset {
        name: "awards",
        path: "/v1/public/awards",
        title: Noun::new("Awards", "Penghargaan"),
        about: Noun::new(
            "The awards that the regency, its agencies, programmes, regions or people received.",
            "Penghargaan yang diterima kabupaten, OPD, program, wilayah, atau orang.",
        ),
        key: &["code"],
    },
    Dataset {
        name: "standings",
        path: "/v1/public/standings",
        title: Noun::new("Standings of the KPIs", "Kondisi IKU"),
        about: Noun::new(
            "Computed for today: the latest value of each KPI beside its target, with achievement, standing and projection.",
            "Dihitung per hari ini: nilai terakhir setiap IKU di samping targetnya, dengan capaian, kondisi, dan proyeksi.",
        ),
        key: &["kpi"],
    },
    Dataset {
        name: "summary",
        path: "/v1/public/summary",
        title: Noun::new("Summary of the masterplan", "Ringkasan masterplan"),
        about: Noun::new(
            "Computed for today: how many programmes are planned and how many run, in all and for each dimension.",
            "Dihitung per hari ini: berapa program direncanakan dan berapa yang berjalan, seluruhnya dan per dimensi.",
        ),
        key: &[],
    },
    Dataset {
        name: "timeline",
        path: "/v1/public/timeline",
        title: Noun::new("Programmes over time", "Program dari waktu ke waktu"),
        about: Noun::new(
            "Computed for today: how many programmes were in which status at the end of each month.",
            "Dihitung per hari ini: berapa program dalam status apa pada akhir setiap bulan.",
        ),
        key: &["period"],
    },
    Dataset {
        name: "scoreboard",
        path: "/v1/public/scoreboard",
        title: Noun::new("Scoreboard of the OPDs", "Papan skor OPD"),
        about: Noun::new(
            "Computed for today: for each agency its programmes, the progress of its actions, its reports, KPIs and findings.",
            "Dihitung per hari ini: untuk setiap OPD programnya, kemajuan rencana aksinya, laporan, IKU, dan temuannya.",
        ),
        key: &["opd"],
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_and_paths_are_unique_and_every_text_is_there() {
        let names = DATASETS.iter().map(|dataset| dataset.name).collect::<BTreeSet<_>>();
        let paths = DATASETS.iter().map(|dataset| dataset.path).collect::<BTreeSet<_>>();
        assert_eq!((names.len(), paths.len()), (DATASETS.len(), DATASETS.len()));
        for Dataset { name, title, about, .. } in DATASETS {
            assert!([title.en, title.id, about.en, about.id].iter().all(|text| !text.is_empty()), "{name}");
        }
    }
}
