//! The page as HTML: a pure function of what it shows.

use chrono::NaiveDate;
use entity::kpi::UnitKind;
use entity::rules::programme_status::ProgrammeStatus;
use entity::value::period::Period;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::read::{Award, Compared, Evaluation, Kpi, Opd, Programme, QuickWin, Reconciliation, Seen};
use super::why;
use crate::charts::drawing::Drawing;
use crate::charts::figures::Unit;
use crate::charts::kpi::{self, capital};
use crate::charts::words::Words;
use crate::charts::{scoreboard, summary, svg, timeline};
use crate::dataset::catalogue;
use crate::dataset::list::{DATASETS, ZIP_PATH};
use crate::http::language::Language;

/// The width for which the charts are laid out: that of a phone, from which they grow with their cards.
const WIDTH: u16 = 320;
/// The most charts of KPIs, and the most programmes of a dimension, that the page shows.
const MOST_CHARTS: usize = 8;
const MOST_PROGRAMMES: usize = 60;

/// The sections that are there for today alone: of Quick Wins and awards it is not kept what they were like on each day.
const ONLY_TODAY: [&str; 2] = ["quick-win", "penghargaan"];

/// Bars that rise, on blue.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='7' \
                    fill='%231d5c9c'/%3E%3Cpath d='M9 23v-5M16 23v-9M23 23V9' stroke='%23fff' stroke-width='4' stroke-linecap='round'/%3E%3C/svg%3E";

/// For whom the page is, and of which day.
pub(super) struct Shown<'a> {
    pub(super) words: Words,
    pub(super) today: NaiveDate,
    /// The day that was chosen.
    pub(super) day: Option<NaiveDate>,
    /// The address of the service.
    pub(super) address: &'a str,
    pub(super) style: &'a str,
}

impl Shown<'_> {
    /// The query of the page in a language.
    fn query(&self, language: Language) -> String {
        let day = self.day.map(|day| format!("&as_of={day}")).unwrap_or_default();
        format!("?lang={}{day}", language.tag())
    }

    /// The query of what the page is made of.
    fn of_day(&self) -> String {
        self.day.map(|day| format!("?as_of={day}")).unwrap_or_default()
    }
}

/// The page.
pub(super) fn page(shown: &Shown<'_>, seen: &Seen) -> String {
    let words = shown.words;
    let of = |id: &'static str, en: &'static str| words.of(id, en);
    let masterplan = match seen.masterplans.as_slice() {
        [one] => Some(one),
        _ => None,
    };
    let name = masterplan.map_or(of("Masterplan kota cerdas", "Smart-city masterplans"), |plan| plan.title.as_str());
    let title = charts_title(seen, words);
    let sections: [(&str, &str); 8] = [
        ("ringkasan", of("Ringkasan", "Summary")),
        ("program", of("Program", "Programmes")),
        ("kpi", "KPI"),
        ("quick-win", "Quick Win"),
        ("opd", "OPD"),
        ("evaluasi", of("Evaluasi", "Evaluation")),
        ("penghargaan", of("Penghargaan", "Awards")),
        ("data", "Data"),
    ];
    let is_there = |id: &str| shown.day.is_none() || !ONLY_TODAY.contains(&id);
    let about = format!("{name}: {title}.");
    html! {
        (DOCTYPE)
        html lang=(words.0.tag()) {
            head {
                (head(shown.style))
                title { (title) " · " (name) }
                meta name="description" content=(about);
                link rel="alternate" hreflang="id" href=(shown.query(Language::Indonesian));
                link rel="alternate" hreflang="en" href=(shown.query(Language::English));
            }
            body {
                a.skip href="#ringkasan" { (of("Langsung ke isi", "Skip to the content")) }
                header.top {
                    div.wide {
                        div.bar {
                            span { (name) }
                            (languages(shown))
                        }
                        h1 { (title) }
                        p.lead {
                            (of("Keadaan ", "As of ")) (words.day(seen.summary.as_of)) ". "
                            (of(
                                "Setiap angka di halaman ini dihitung dari data yang dipublikasikan dan diverifikasi.",
                                "Every figure on this page is computed from published and verified data.",
                            ))
                        }
                        @if let Some(plan) = masterplan {
                            @if let Some(about) = &plan.description { p.small.faint lang="id" { (about) } }
                            @if let Some(basis) = &plan.legal_basis { p.small.faint { (of("Dasar hukum: ", "Legal basis: ")) (basis) } }
                        }
                        (choice(shown, seen.summary.as_of))
                        nav aria-label=(of("Bagian halaman ini", "Sections of this page")) {
                            ul { @for (id, name) in sections { @if is_there(id) { li { a href={ "#" (id) } { (name) } } } } }
                        }
                    }
                }
                main.wide {
                    (overview(shown, seen))
                    (programmes(shown, seen))
                    (kpis(shown, seen))
                    @if is_there("quick-win") { (quick_wins(shown, seen)) }
                    (opds(shown, seen))
                    (evaluations(shown, seen))
                    @if is_there("penghargaan") { (awards(shown, &seen.awards)) }
                    (data(shown, seen, name))
                }
                footer {
                    div.wide {
                        p { (of("Disajikan oleh ", "Served by ")) "Renaksi " (env!("CARGO_PKG_VERSION")) ". "
                            (of("Halaman ini tidak memakai kuki dan skrip.", "This page uses no cookies and no scripts.")) }
                    }
                }
            }
        }
    }
    .into_string()
}

/// What the head of every page has: how it looks, and a picture for its tab, which browsers ask for otherwise.
fn head(style: &str) -> Markup {
    html! {
        meta charset="utf-8";
        meta name="viewport" content="width=device-width, initial-scale=1";
        link rel="icon" href=(ICON);
        style { (PreEscaped(style)) }
    }
}

/// The page that says why there is none.
pub(super) fn refusal(words: Words, style: &str, reasons: &[String]) -> String {
    let title = words.of("Halaman ini tidak dapat ditampilkan", "This page cannot be shown");
    html! {
        (DOCTYPE)
        html lang=(words.0.tag()) {
            head {
                (head(style))
                title { (title) }
            }
            body {
                main.top {
                    div.wide {
                        h1 { (title) }
                        @for reason in reasons { p.lead { (reason) } }
                        p { a href={ "/?lang=" (words.0.tag()) } { (words.of("Lihat keadaan hari ini", "See the state of today")) } }
                    }
                }
            }
        }
    }
    .into_string()
}

/// What the summary says in one line.
fn charts_title(seen: &Seen, words: Words) -> String {
    summary::draw(&seen.summary, WIDTH, words).title
}

fn languages(shown: &Shown<'_>) -> Markup {
    let other = shown
        .words
        .of((Language::English, "Read this page in English"), (Language::Indonesian, "Baca halaman ini dalam bahasa Indonesia"));
    html! { a href=(shown.query(other.0)) lang=(other.0.tag()) hreflang=(other.0.tag()) { (other.1) } }
}

/// The day to choose.
fn choice(shown: &Shown<'_>, as_of: NaiveDate) -> Markup {
    let words = shown.words;
    html! {
        form method="get" action="/" {
            input type="hidden" name="lang" value=(words.0.tag());
            div {
                label for="as_of" { (words.of("Lihat keadaan pada akhir hari", "Show the state at the end of")) }
                input type="date" id="as_of" name="as_of" required max=(shown.today) value=(as_of);
            }
            button type="submit" { (words.of("Tampilkan", "Show")) }
        }
        @if shown.day.is_some() {
            p.small.faint {
                (words.of("Quick Win dan penghargaan hanya ditampilkan untuk hari ini: ", "Quick Wins and awards are shown for today alone: "))
                a href={ "?lang=" (words.0.tag()) } { (words.of("lihat keadaan hari ini", "see the state of today")) } "."
            }
        }
    }
}

fn chart(drawing: &Drawing, words: Words) -> Markup {
    PreEscaped(svg::inline(drawing, words.0))
}

fn section(id: &str, name: &str, content: Markup) -> Markup {
    html! { section id=(id) aria-labelledby={ (id) "-h" } { h2 id={ (id) "-h" } { (name) } (content) } }
}

fn overview(shown: &Shown<'_>, seen: &Seen) -> Markup {
    let words = shown.words;
    let of = |id: &'static str, en: &'static str| words.of(id, en);
    let (more, totals) = (&seen.more, &seen.summary.totals);
    let on_course = ["achieved", "on_track"].iter().filter_map(|word| more.kpis.by_standing.get(*word)).sum::<u32>();
    let unfinished = more.findings.open + more.findings.in_progress;
    let tile = |number: u32, of_all: Option<u32>, name: &str| {
        html! { div {
            dt { (name) }
            dd { (words.count(number)) @if let Some(all) = of_all { span { " " (of("dari", "of")) " " (words.count(all)) } } }
        } }
    };
    section(
        "ringkasan",
        of("Ringkasan", "Summary"),
        html! {
            div.front {
            dl.tiles {
                (tile(totals.running, Some(totals.planned), of("program berjalan", "programmes running")))
                // Of nothing there is no share to tell.
                @if more.kpis.total > 0 {
                    (tile(on_course, Some(more.kpis.total), of("KPI sesuai jalur atau tercapai", "KPIs on track or achieved")))
                }
                @if more.actions.total > 0 {
                    (tile(more.actions.done, Some(more.actions.total), of("renaksi tahun ini selesai", "actions of the year done")))
                    (tile(more.actions.late, Some(more.actions.total), of("renaksi tahun ini terlambat", "actions of the year late")))
                }
                (tile(unfinished, None, of("temuan evaluasi belum selesai", "findings of evaluations unresolved")))
                @if more.commitment.opds > 0 {
                    (tile(more.commitment.signed, Some(more.commitment.opds), of("OPD menandatangani komitmen bersama", "OPDs signed the joint commitment")))
                }
            }
            div.cards.pair {
                figure.card.chart { (chart(&summary::draw(&seen.summary, WIDTH, words), words)) }
                figure.card.chart { (chart(&timeline::draw(&seen.timeline, WIDTH, words), words)) }
            }
            }
        },
    )
}

/// A status with a sign that tells it without colours.
fn status(status: ProgrammeStatus, words: Words) -> Markup {
    let sign = match status {
        ProgrammeStatus::Planned => "○",
        ProgrammeStatus::Running => "●",
        ProgrammeStatus::Suspended => "◐",
        ProgrammeStatus::Completed => "✓",
        ProgrammeStatus::Cancelled => "×",
    };
    html! { span.state { b aria-hidden="true" { (sign) } (words.status(status)) } }
}

fn programmes(shown: &Shown<'_>, seen: &Seen) -> Markup {
    let words = shown.words;
    let of = |code: &str| seen.programmes.iter().filter(|one| one.dimension.as_deref() == Some(code)).collect::<Vec<_>>();
    let is_known =
        |one: &Programme| seen.more.dimensions.iter().any(|known| one.dimension.as_deref() == Some(known.dimension.as_str()));
    let others = seen.programmes.iter().filter(|one| !is_known(one)).collect::<Vec<_>>();
    section(
        "program",
        words.of("Program menurut dimensi", "Programmes by dimension"),
        html! {
            div.flow {
                @for dimension in &seen.more.dimensions {
                    (of_dimension(in_language(&dimension.name, dimension.name_en.as_deref(), words), &of(&dimension.dimension), words))
                }
                (of_dimension(words.of("Dimensi lain", "Other dimensions"), &others, words))
            }
        },
    )
}

fn of_dimension(name: &str, own: &[&Programme], words: Words) -> Markup {
    html! {
        @if !own.is_empty() {
            div.card {
                h3 { (name) }
                ul.plain { @for one in own.iter().take(MOST_PROGRAMMES) { (programme(one, words)) } }
                @if own.len() > MOST_PROGRAMMES {
                    p { a href="/v1/public/programmes" { (words.of("Semua program", "All programmes")) } }
                }
            }
        }
    }
}

fn in_language<'a>(name: &'a str, name_en: Option<&'a str>, words: Words) -> &'a str {
    words.of(name, name_en.unwrap_or(name))
}

fn programme(one: &Programme, words: Words) -> Markup {
    let since = one.history.last().filter(|(status, _)| *status == one.status).map(|(_, day)| words.day(*day));
    html! {
        li {
            (one.name)
            br;
            (status(one.status, words))
            span.small.faint {
                @if let Some(day) = since { (words.of(" sejak ", " since ")) (day) }
                " · " (one.opd)
            }
            @if one.history.len() > 1 {
                details.small {
                    summary { (words.of("Riwayat status", "Status history")) }
                    ol { @for (status, day) in &one.history { li { (words.day(*day)) ": " (words.status(*status)) } } }
                }
            }
        }
    }
}

fn kpis(shown: &Shown<'_>, seen: &Seen) -> Markup {
    let words = shown.words;
    section(
        "kpi",
        words.of("Indikator kinerja utama (KPI)", "Key performance indicators (KPIs)"),
        html! {
            @if seen.kpis.is_empty() { p.faint { (words.of("Belum ada KPI.", "There are no KPIs yet.")) } }
            div.flow { @for one in seen.kpis.iter().take(MOST_CHARTS) { (kpi_card(one, words)) } }
            @if seen.kpis.len() > MOST_CHARTS {
                ul { @for one in &seen.kpis[MOST_CHARTS..] {
                    li { a href={ "/v1/public/charts/kpis/" (one.code) ".svg?lang=" (words.0.tag()) } { (one.standing.name) }
                        ": " (why(one, words)) }
                } }
            }
        },
    )
}

fn kpi_card(one: &Kpi, words: Words) -> Markup {
    let said = explained(one, words);
    html! {
        div.card.chart {
            (chart(&kpi::draw(&one.code, &one.standing, &one.series, WIDTH, words), words))
            div.told {
                p { (why(one, words)) }
                @for sentence in said { p { (sentence) } }
                @if let Some(about) = &one.about { p.faint lang="id" { (about) } }
                @if let Some(source) = &one.source { p.faint { (words.of("Sumber: ", "Source: ")) (source) } }
            }
        }
    }
}

/// The standing of a KPI, and why it is that.
fn why(one: &Kpi, words: Words) -> Markup {
    let because = why::sentences(&one.more.explanation.reasons, &unit_of(one), words).join(" ");
    html! { strong { (capital(words.standing(one.standing.standing))) "." } " " (because) }
}

/// The unit of a KPI, for numbers in sentences.
fn unit_of(one: &Kpi) -> Unit {
    Unit { kind: one.more.unit.kind, label: None }
}

/// What follows from a standing, in sentences.
fn explained(one: &Kpi, words: Words) -> Vec<String> {
    let (more, unit) = (&one.more, unit_of(one));
    let written = |value: rust_decimal::Decimal| {
        let rounded = value.round_dp(2);
        if unit.kind == UnitKind::Percent { words.percent(rounded) } else { words.number(rounded) }
    };
    let mut said = Vec::new();
    if let (Some(achievement), Some(target)) = (more.achievement, &more.target) {
        let (achieved, value, period) = (words.percent(achievement), written(target.value), words.period(target.period));
        said.push(words.of(
            format!("Capaian {achieved} dari target yang berlaku, {value} pada {period}."),
            format!("Achievement: {achieved} of the target that applies, {value} in {period}."),
        ));
    }
    if let Some(progress) = more.progress {
        let progress = words.percent(progress);
        said.push(words.of(
            format!("Jalan dari nilai awal ke target akhir yang sudah ditempuh: {progress}."),
            format!("Share of the way from the baseline to the final target that is done: {progress}."),
        ));
    }
    if let Some(projected) = &more.projected {
        let (value, period) = (written(projected.value), words.period(projected.period));
        let weak = if projected.confidence == "low" {
            words.of(" (prakiraan lemah: sedikit data)", " (a weak forecast: few data)")
        } else {
            ""
        };
        said.push(words.of(
            format!("Bila laju ini berlanjut: {value} pada {period}{weak}."),
            format!("At this pace: {value} in {period}{weak}."),
        ));
    }
    if let Some(pace) = more.required_pace {
        let pace = written(pace);
        said.push(words.of(
            format!("Perubahan yang masih diperlukan setiap periode: {pace}."),
            format!("Change that is still needed in each period: {pace}."),
        ));
    }
    said
}

fn quick_wins(shown: &Shown<'_>, seen: &Seen) -> Markup {
    let words = shown.words;
    let dimension = |one: &QuickWin| {
        let found = seen.more.dimensions.iter().find(|dimension| one.dimension.as_deref() == Some(dimension.dimension.as_str()));
        found.map(|found| in_language(&found.name, found.name_en.as_deref(), words))
    };
    section(
        "quick-win",
        "Quick Win",
        html! {
            @if seen.quick_wins.is_empty() { p.faint { (words.of("Belum ada Quick Win.", "There are no Quick Wins yet.")) } }
            @else {
                div.card { ul.plain.broad { @for one in &seen.quick_wins {
                    li { (one.name) br; (status(one.status, words)) @if let Some(dimension) = dimension(one) { span.small.faint { " · " (dimension) } }
                        @if let Some(outcome) = &one.outcome { br; (outcome) } }
                } } }
            }
        },
    )
}

fn opds(shown: &Shown<'_>, seen: &Seen) -> Markup {
    let words = shown.words;
    let of = |id: &'static str, en: &'static str| words.of(id, en);
    let quarter = words.period(Period::Quarter(seen.scoreboard.year, seen.scoreboard.quarter));
    let has_actions = seen.opds.iter().any(|opd| opd.row.renaksi.actions.total > 0);
    section(
        "opd",
        of("Kinerja OPD", "Performance of the OPDs"),
        html! {
            p.faint {
                (of("OPD adalah organisasi perangkat daerah. ", "An OPD is a regional government agency. "))
                @if has_actions { (of("Laporan dan renaksi sampai ", "Reports and actions up to ")) (quarter) "." }
                @else { (of("Untuk tahun ini belum ada renaksi.", "There are no actions for this year yet.")) }
            }
            div.beside {
                figure.card.chart { (chart(&scoreboard::draw(&seen.scoreboard, WIDTH, words), words)) }
                div.scroll.few[!has_actions] tabindex="0" role="region" aria-label=(of("Kartu skor OPD", "Scorecards of the OPDs")) {
                    table {
                        caption { (of("Kartu skor OPD", "Scorecards of the OPDs")) }
                        thead { tr {
                            th scope="col" { "OPD" }
                            th scope="col" { (of("Program berjalan", "Running programmes")) }
                            @if has_actions {
                                th scope="col" { (of("Renaksi", "Actions")) }
                                th scope="col" { (of("Capaian", "Achievement")) }
                                th scope="col" { (of("Laporan tepat waktu", "Reports on time")) }
                                th scope="col" { (of("Terlambat / tidak ada", "Late / missing")) }
                            }
                            th scope="col" { (of("Temuan terbuka", "Open findings")) }
                        } }
                        tbody { @for opd in &seen.opds { (opd_row(opd, has_actions, words)) } }
                    }
                }
            }
        },
    )
}

fn opd_row(opd: &Opd, has_actions: bool, words: Words) -> Markup {
    let row = &opd.row;
    let count = |number: u32| words.count(number);
    html! { tr {
        th scope="row" { (row.name) }
        td { (count(row.programmes_led.running)) " / " (count(row.programmes_led.total)) }
        @if has_actions {
            td { (count(row.renaksi.actions.total)) }
            td {
                @if let Some(achievement) = row.renaksi.achievement { (words.percent(achievement)) } @else { "–" }
                @if let Some(band) = row.renaksi.band { small { (words.band(band)) } }
            }
            td { (count(row.reports.on_time)) " / " (count(row.reports.due)) }
            td { (count(row.reports.late)) " / " (count(row.reports.missing)) }
        }
        td { (count(row.findings_open)) }
    } }
}

fn evaluations(shown: &Shown<'_>, seen: &Seen) -> Markup {
    let words = shown.words;
    section(
        "evaluasi",
        words.of("Evaluasi", "Evaluation"),
        html! {
            @if seen.evaluations.is_empty() { p.faint { (words.of("Belum ada evaluasi.", "There are no evaluations yet.")) } }
            @for (evaluation, compared) in &seen.evaluations { (told(evaluation, compared.as_ref(), words)) }
        },
    )
}

fn told(evaluation: &Evaluation, compared: Option<&Reconciliation>, words: Words) -> Markup {
    let of = |id: &'static str, en: &'static str| words.of(id, en);
    let day = words.day(evaluation.held_on);
    let place = [&evaluation.venue, &evaluation.chair].into_iter().flatten().cloned().collect::<Vec<_>>().join(" · ");
    html! {
        h3 { (of("Evaluasi ", "Evaluation of ")) (day) }
        @if !place.is_empty() { p.faint { (place) } }
        @if let Some(summary) = &evaluation.summary { p lang="id" { (summary) } }
        @if let Some(compared) = compared {
            div.scroll tabindex="0" role="region" aria-label={ (of("Yang dilaporkan dan yang tercatat pada ", "What was told and what is recorded, ")) (day) } {
                table {
                    caption { (of("Program berjalan dari yang direncanakan: yang disampaikan kepada rapat, di samping yang tercatat untuk hari itu", "Running of planned programmes: what the meeting was told, beside what is recorded for that day")) }
                    thead { tr {
                        th scope="col" { (of("Dimensi", "Dimension")) }
                        th scope="col" { (of("Disampaikan", "Told")) }
                        th scope="col" { (of("Tercatat", "Recorded")) }
                        th scope="col" { (of("Selisih", "Difference")) }
                    } }
                    tbody { @for row in &compared.dimensions {
                        tr { th scope="row" { (in_language(&row.name, row.name_en.as_deref(), words)) } (beside(&row.counts, words)) }
                    } }
                    tfoot { tr { th scope="row" { (of("Seluruhnya", "In all")) } (beside(&compared.totals, words)) } }
                }
            }
        }
        @if let Some(source) = &evaluation.provenance {
            p.small.faint { (of("Sumber: ", "Source: ")) (source.publisher.as_deref().unwrap_or("–"))
                @if let Some(day) = source.date { ", " (words.day(day)) } }
        }
    }
}

fn beside(compared: &Compared, words: Words) -> Markup {
    let pair = |planned: i64, running: i64| {
        let [running, planned] = [running, planned].map(|number| words.number(number.into()));
        words.of(format!("{running} dari {planned}"), format!("{running} of {planned}"))
    };
    let recorded = &compared.recorded;
    html! {
        td { @if let Some(told) = &compared.reported { (pair(told.planned, told.running)) } @else { "–" } }
        td { (pair(recorded.planned, recorded.running)) }
        td { @match &compared.reported {
            Some(told) if told == recorded => (words.of("sama", "none")),
            Some(told) => { (words.number((recorded.running - told.running).into())) " / " (words.number((recorded.planned - told.planned).into())) },
            None => "–",
        } }
    }
}

fn awards(shown: &Shown<'_>, awards: &[Award]) -> Markup {
    let words = shown.words;
    section(
        "penghargaan",
        words.of("Penghargaan", "Awards"),
        html! {
            @if awards.is_empty() { p.faint { (words.of("Belum ada penghargaan.", "There are no awards yet.")) } }
            @else {
                div.card { ul.plain.broad { @for award in awards {
                    @let facts = [award.category.clone(), award.recipient.as_ref().and_then(|one| one.name.clone()), award.issuer.clone(), award.year.map(|year| year.to_string())];
                    li { (award.name) br; span.small.faint { (facts.into_iter().flatten().collect::<Vec<_>>().join(" · ")) } }
                } } }
            }
        },
    )
}

fn data(shown: &Shown<'_>, seen: &Seen, name: &str) -> Markup {
    let words = shown.words;
    let of = |id: &'static str, en: &'static str| words.of(id, en);
    let of_day = shown.of_day();
    let figures = [
        (format!("/v1/public/summary{of_day}"), of("Ringkasan", "Summary")),
        (format!("/v1/public/timeline{of_day}"), of("Perjalanan program", "Timeline of the programmes")),
        (format!("/v1/public/scoreboard{of_day}"), of("Papan skor OPD", "Scoreboard of the OPDs")),
        ("/v1/public/programmes".to_owned(), of("Program", "Programmes")),
        ("/v1/public/kpis".to_owned(), "KPI"),
        ("/v1/public/quick-wins".to_owned(), "Quick Win"),
        ("/v1/public/evaluations".to_owned(), of("Evaluasi", "Evaluations")),
        ("/v1/public/awards".to_owned(), of("Penghargaan", "Awards")),
    ];
    let pictures = [
        ("summary", of("Program menurut dimensi", "Programmes by dimension")),
        ("timeline", of("Perjalanan program", "Timeline of the programmes")),
        ("scoreboard", of("Kinerja OPD", "Performance of the OPDs")),
    ];
    let picture = |chart: &str| {
        let day = shown.day.map(|day| format!("&as_of={day}")).unwrap_or_default();
        format!("/v1/public/charts/{chart}.svg?lang={}&width=960{day}", words.0.tag())
    };
    let day = shown.day.unwrap_or(shown.today);
    let address = format!("{}/?lang={}&as_of={day}", shown.address.trim_end_matches('/'), words.0.tag());
    section(
        "data",
        of("Data untuk dipakai", "Data to use"),
        html! {
            div.cards {
                div.card {
                    h3 { (of("Unduhan untuk lembar kerja (CSV)", "Downloads for spreadsheets (CSV)")) }
                    p { a href=(ZIP_PATH) { (of("Semua tabel dalam satu berkas (ZIP)", "All tables in one file (ZIP)")) } }
                    p { a href=(catalogue::PATH) { (of("Katalog untuk portal data (DCAT)", "Catalogue for data portals (DCAT)")) } }
                    ul {
                        @for dataset in DATASETS {
                            // As Excel in Indonesia reads it.
                            li { a href={ (dataset.csv_path()) "?separator=semicolon&bom=true" } { (of(dataset.title.id, dataset.title.en)) } }
                        }
                    }
                }
                div.card {
                    h3 { (of("Unduhan (JSON)", "Downloads (JSON)")) }
                    ul { @for (path, name) in figures { li { a href=(path) { (name) } } } }
                }
                @if !seen.kpis.is_empty() {
                    div.card {
                        h3 { (of("Metadata indikator (JSON)", "Metadata of the indicators (JSON)")) }
                        p.small.faint { (of("Konsep, definisi, rumus, dan ukuran setiap KPI menurut Peraturan BPS 5/2020.", "Concept, definition, formula and measure of each KPI, as Peraturan BPS 5/2020 asks for.")) }
                        ul { @for one in &seen.kpis {
                            li { a href={ "/v1/public/kpis/" (one.code) "/metadata" } { (one.standing.name) } }
                        } }
                    }
                }
                div.card {
                    h3 { (of("Gambar untuk disematkan (SVG)", "Pictures to embed (SVG)")) }
                    ul { @for (chart, name) in pictures { li { a href=(picture(chart)) { (name) } } } }
                }
                div.card {
                    h3 { (of("Untuk pengembang", "For developers")) }
                    ul {
                        li { a href="/docs/" { (of("Referensi API", "Reference of the API")) } }
                        li { a href="/openapi.json" { "OpenAPI 3.1" } }
                        li { code { "GET /v1/public/summary" } }
                    }
                }
            }
            h3 { (of("Cara mengutip", "How to cite")) }
            blockquote { (name) ". " (of("Keadaan ", "As of ")) (words.day(day)) ". " (of("Diakses ", "Accessed on ")) (words.day(shown.today)) ". " code { (address) } }
        },
    )
}
