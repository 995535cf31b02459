//! Charts: pictures that tell what the figures say, embed in any page, and need nobody's colours.

use renaksi_tests::{Answer, on_both_databases, on_shared_servers};
use roxmltree::Document;
use serde_json::{Value, json};

const CHARTS: [&str; 4] = ["summary.svg", "timeline.svg", "scoreboard.svg", "kpis/STUNTING.svg"];

/// A chart, taken apart.
struct Chart {
    /// What it is called.
    title: String,
    /// What it shows, in words.
    description: String,
    /// Every text that is drawn.
    texts: Vec<String>,
    /// The width and the height.
    size: (f64, f64),
    /// How many rectangles have a class.
    cells: usize,
}

impl Chart {
    fn of(answer: &Answer) -> Self {
        let text = answer.text();
        let document = Document::parse(&text).unwrap_or_else(|error| panic!("no XML ({error}): {answer:?}"));
        let root = document.root_element();
        assert_eq!((root.tag_name().name(), root.attribute("role")), ("svg", Some("img")));
        let all = |name: &str| {
            let named = root.descendants().filter(|node| node.tag_name().name() == name);
            named.map(|node| node.text().unwrap_or_default().replace('\u{a0}', " ")).collect::<Vec<_>>()
        };
        // What it is called by is in it, once.
        for attribute in ["aria-labelledby", "aria-describedby"] {
            let id = root.attribute(attribute).unwrap();
            assert_eq!(root.descendants().filter(|node| node.attribute("id") == Some(id)).count(), 1, "{id}");
        }
        for name in ["script", "image", "a", "use", "foreignObject", "animate", "link"] {
            assert!(all(name).is_empty(), "{name} in {answer:?}");
        }
        assert!(!text.contains("href") && !text.contains("@import") && !text.contains("@font-face"), "{answer:?}");
        assert_eq!(text.matches("http").count(), 1, "the name space alone: {answer:?}");
        let number = |name: &str| root.attribute(name).unwrap().parse::<f64>().unwrap();
        let cells = root.descendants().filter(|node| node.tag_name().name() == "rect" && node.attribute("class") == Some("r"));
        Self {
            title: all("title").remove(0),
            description: all("desc").remove(0),
            texts: all("text"),
            size: (number("width"), number("height")),
            cells: cells.count(),
        }
    }

    /// Expects a text among those that are drawn.
    #[track_caller]
    fn shows(&self, text: &str) {
        assert!(self.texts.iter().any(|drawn| drawn == text), "`{text}` is not among {:?}", self.texts);
    }

    /// Expects words in the description.
    #[track_caller]
    fn says(&self, words: &str) {
        assert!(self.description.contains(words), "`{words}` is not in {}", self.description);
    }
}

/// A percentage as Indonesian writes it.
fn percent(value: &Value) -> String {
    let text = value.as_str().unwrap();
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.').replace('.', ","))
}

on_both_databases! {
    async fn pictures_tell_what_the_figures_say(app) {
        let anyone = app.anyone();
        let admin = app.admin().await;
        // Something of every kind: a programme that ended, one that was halted, and one that nobody may see.
        for (code, to) in [("SG-01", "completed"), ("SG-02", "suspended"), ("SG-03", "cancelled")] {
            admin.create(&format!("/v1/programmes/{code}/transitions"), json!({ "to": to, "effective_on": "2023-01-10" })).await;
        }
        let etag = admin.etag_of("/v1/programmes/SL-01").await;
        admin.patch("/v1/programmes/SL-01", json!({ "published": false })).if_match(&etag).await.is(200);
        for query in ["", "?as_of=2022-10-04", "?masterplan=KLU-SC", "?as_of=1999-01-01"] {
            let figure = anyone.get(format!("/v1/public/summary{query}")).await.is(200).json();
            let chart = Chart::of(&anyone.get(format!("/v1/public/charts/summary.svg{query}")).await.is(200));
            let totals = &figure["totals"];
            if totals["planned"] == 0 {
                assert_eq!(chart.title, "Belum ada program");
                continue;
            }
            let share = percent(&totals["running_percent"]);
            assert_eq!(chart.title, format!("{} dari {} program berjalan ({share})", totals["running"], totals["planned"]));
            for row in figure["dimensions"].as_array().unwrap() {
                chart.shows(&format!("{} dari {}", row["running"], row["planned"]));
                let name = row["name"].as_str().unwrap();
                let share = percent(&row["running_percent"]);
                chart.says(&format!("{name}: {} dari {} program berjalan ({share})", row["running"], row["planned"]));
            }
            // A cell for each that runs, and the one that explains them.
            assert_eq!(chart.cells as u64, totals["running"].as_u64().unwrap() + 1, "{query}");
        }

        let steps = anyone.get("/v1/public/timeline?interval=quarter").await.is(200).at("steps");
        let last = steps.as_array().unwrap().last().unwrap().clone();
        let chart = Chart::of(&anyone.get("/v1/public/charts/timeline.svg?interval=quarter").await.is(200));
        assert!(chart.title.starts_with(&format!("{} program: ", last["total"])), "{}", chart.title);
        let words = [("completed", "selesai"), ("running", "berjalan"), ("suspended", "ditangguhkan"), ("planned", "belum dimulai"), ("cancelled", "dibatalkan")];
        for (status, word) in words {
            assert!(chart.title.contains(&format!("{} {word}", last["by_status"][status])), "{status} in {}", chart.title);
            chart.shows(word);
            chart.shows(&last["by_status"][status].to_string());
        }
        chart.says("triwulan IV 2022: 39 program: 34 berjalan, 5 belum dimulai.");
    }

    async fn the_scoreboard_shows_every_achievement(app) {
        let anyone = app.anyone();
        let query = "?year=2022&quarter=3";
        let figure = anyone.get(format!("/v1/public/scoreboard{query}")).await.is(200);
        let chart = Chart::of(&anyone.get(format!("/v1/public/charts/scoreboard.svg{query}")).await.is(200));
        assert_eq!(chart.title, "Capaian renaksi OPD sampai triwulan III 2022");
        let rows = figure.at("rows").as_array().unwrap().clone();
        let achieved = rows.iter().filter(|row| row["renaksi"]["achievement"].is_string()).collect::<Vec<_>>();
        assert!(achieved.len() > 5, "{figure:?}");
        for row in achieved {
            let achievement = percent(&row["renaksi"]["achievement"]);
            chart.shows(&achievement);
            chart.says(&format!("{}. {}: {achievement}; ", row["rank"], row["name"].as_str().unwrap()));
        }
        // Where nobody has one, it shows the programmes.
        let chart = Chart::of(&anyone.get("/v1/public/charts/scoreboard.svg?year=1990&quarter=1&lang=en").await.is(200));
        assert_eq!(chart.title, "Running programmes by OPD");
        let kominfo = rows.iter().find(|row| row["opd"] == "KOMINFO").unwrap();
        chart.shows(&format!("{} of {}", kominfo["programmes_led"]["running"], kominfo["programmes_led"]["total"]));
    }

    async fn a_kpi_shows_its_values_and_targets(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        let chart = Chart::of(&anyone.get("/v1/public/charts/kpis/STUNTING.svg").await.is(200));
        assert_eq!(chart.title, "Prevalensi stunting");
        chart.shows("22,9 %");
        chart.says("22,9 % pada 2022, awalnya 28,3 % pada 2021, target 14 % pada 2024. Sesuai jalur; makin rendah makin baik.");
        chart.says("Nilai awal: 2021: 28,3 %. Nilai terverifikasi: 2022: 22,9 %. Target: 2024: 14 %.");
        let part = Chart::of(&anyone.get("/v1/public/charts/kpis/STUNTING.svg?from=2023&lang=en").await.is(200));
        assert!(part.description.contains("Targets: 2024: 14%.") && !part.description.contains("22.9"), "{}", part.description);
        let none = Chart::of(&anyone.get("/v1/public/charts/kpis/STUNTING.svg?to=1990&lang=en").await.is(200));
        none.shows("There are no values and no targets in these periods.");
        // What is hidden is not there.
        let etag = admin.etag_of("/v1/kpis/STUNTING").await;
        admin.patch("/v1/kpis/STUNTING", json!({ "published": false })).if_match(&etag).await.is(200);
        anyone.get("/v1/public/charts/kpis/STUNTING.svg").await.is(404).has_problem("not_found");
        anyone.get("/v1/public/charts/kpis/NO-SUCH.svg").await.is(404).has_problem("not_found");
    }
}

on_shared_servers! {
    async fn a_chart_embeds_in_any_page(app) {
        let anyone = app.anyone();
        for name in CHARTS {
            let path = format!("/v1/public/charts/{name}");
            let answer = anyone.get(&path).header("Origin", "https://koran.example").await.is(200);
            let _ = answer.etag();
            let answer = answer
                .has_header("content-type", "image/svg+xml")
                .has_header("cache-control", "public, max-age=0, must-revalidate")
                .has_header("access-control-allow-origin", "*")
                .has_header("cross-origin-resource-policy", "cross-origin")
                .has_header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
                .has_header("content-language", "id");
            assert!(answer.headers("vary").to_lowercase().contains("accept-language"), "{answer:?}");
            anyone.get(&path).if_none_match(&answer.etag()).await.is(304);
            // As browsers ask for images.
            anyone.get(&path).header("Accept", "image/avif,image/webp,image/*;q=0.8,*/*;q=0.5").await.is(200);
            anyone.get(&path).header("Accept", "application/json").await.is(406).has_problem("not_acceptable");
            for width in [320, 721, 1600] {
                assert_eq!(Chart::of(&anyone.get(format!("{path}?width={width}")).await.is(200)).size.0, f64::from(width));
            }
            assert!(Chart::of(&answer).size.1 > 150.0);
        }
    }

    async fn a_chart_speaks_the_language_that_is_asked_for(app) {
        let anyone = app.anyone();
        for (query, accepted, language) in [
            ("", None, "id"),
            ("", Some("fr"), "id"),
            ("", Some("en-GB,en;q=0.9,id;q=0.5"), "en"),
            ("", Some("id,en;q=0.9"), "id"),
            ("?lang=en", None, "en"),
            ("?lang=id", Some("en"), "id"),
        ] {
            // Twice: as it is made, and as it is kept.
            for _ in 0..2 {
                let request = anyone.get(format!("/v1/public/charts/summary.svg{query}"));
                let answer = match accepted {
                    Some(accepted) => request.header("Accept-Language", accepted).await,
                    None => request.await,
                };
                let answer = answer.is(200).has_header("content-language", language);
                let word = if language == "id" { "berjalan" } else { "running" };
                assert!(Chart::of(&answer).title.contains(word), "{query} {accepted:?}: {answer:?}");
            }
        }
    }

    async fn a_theme_has_its_colours(app) {
        let ask = async |theme: &str| app.anyone().get(format!("/v1/public/charts/summary.svg{theme}")).await.is(200).text();
        let [auto, named, light, dark] = [ask("").await, ask("?theme=auto").await, ask("?theme=light").await, ask("?theme=dark").await];
        assert_eq!(auto, named);
        assert!(auto.contains("prefers-color-scheme:dark") && auto.contains("#2166ac") && auto.contains("#5aa3e0"));
        assert!(!light.contains("prefers-color-scheme") && light.contains("#2166ac") && !light.contains("#5aa3e0"));
        assert!(!dark.contains("prefers-color-scheme") && dark.contains("#5aa3e0") && !dark.contains("#2166ac"));
    }
}
