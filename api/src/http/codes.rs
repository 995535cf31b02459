//! The codes of problems, one per line: status, word, title in both languages, advice in both.

/// The kind of an error, as a stable word on which clients branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The HTTP status of the answer.
    pub status: u16,
    /// The stable word, which is also the last part of the problem's `type`.
    pub name: &'static str,
    /// The title in English.
    pub title: &'static str,
    /// The title in Indonesian.
    pub title_id: &'static str,
    /// What a client can do about the error: the text of the page under `/problems/`.
    pub advice: &'static str,
    /// The same in Indonesian.
    pub advice_id: &'static str,
}

macro_rules! codes {
    ($($constant:ident = $status:literal $name:literal, $title:literal, $title_id:literal, $advice:literal, $advice_id:literal;)*) => {
        $(
            #[doc = $title]
            pub const $constant: Code = Code {
                status: $status, name: $name, title: $title, title_id: $title_id, advice: $advice, advice_id: $advice_id,
            };
        )*
        /// Every code.
        pub const ALL: &[Code] = &[$($constant),*];
    };
}

codes! {
    MALFORMED = 400 "malformed_request", "The request cannot be read", "Permintaan tidak dapat dibaca", "Look at `detail`: for JSON it names the line and the column.", "Lihat `detail`: untuk JSON, baris dan kolomnya disebutkan di sana.";
    INVALID_PARAMETER = 400 "invalid_parameter", "A query parameter is unknown or has an impossible value", "Parameter kueri tidak dikenal atau nilainya tidak mungkin", "Each entry of `errors` names the parameter and what is allowed.", "Setiap entri `errors` menyebutkan parameternya dan apa yang diperbolehkan.";
    INVALID_CURSOR = 400 "invalid_cursor", "The cursor does not belong to this list", "Kursor bukan milik daftar ini", "Use `page.next_cursor` as it was given, with the same filters and sort, or start again without a cursor.", "Gunakan `page.next_cursor` seperti yang diberikan, dengan filter dan urutan yang sama, atau mulai lagi tanpa kursor.";
    UNAUTHENTICATED = 401 "unauthenticated", "A valid access token is needed", "Diperlukan token akses yang berlaku", "Get a token from `POST /v1/auth/token` and send it as `Authorization: Bearer …`. Access tokens last 15 minutes.", "Minta token dari `POST /v1/auth/token` dan kirim sebagai `Authorization: Bearer …`. Token akses berlaku 15 menit.";
    FORBIDDEN = 403 "forbidden", "Not allowed", "Tidak diizinkan", "The token is valid, but its role or its scopes do not permit this operation.", "Tokennya sah, tetapi peran atau cakupannya tidak mengizinkan operasi ini.";
    OUTSIDE_OWN_OPD = 403 "outside_own_opd", "This belongs to another OPD", "Ini milik OPD lain", "An operator or a client writes only for its own OPD and the OPDs below it.", "Operator atau klien hanya menulis untuk OPD-nya sendiri dan OPD di bawahnya.";
    OWN_REPORT = 403 "own_report", "Nobody verifies what they submitted", "Tidak ada yang memverifikasi laporannya sendiri", "Another reviewer has to verify the report.", "Laporan harus diverifikasi oleh peninjau lain.";
    TOTP_REQUIRED = 403 "totp_required", "One-time codes must be set up first", "Kode sekali pakai harus disiapkan terlebih dahulu", "The role of this account needs one-time codes. Set them up with `POST /v1/me/totp` and `PUT /v1/me/totp`, then get a new access token with the refresh token. Until then only `/v1/me` and what is below it can be reached.", "Peran akun ini memerlukan kode sekali pakai. Siapkan dengan `POST /v1/me/totp` dan `PUT /v1/me/totp`, lalu minta token akses baru dengan token penyegar. Sampai saat itu hanya `/v1/me` dan apa yang ada di bawahnya yang terbuka.";
    PASSWORD_LOGIN_OFF = 403 "password_login_off", "Nobody logs in with a password here", "Di sini tidak ada yang masuk dengan kata sandi", "People log in at the identity provider of this service, and use its access tokens. There are no passwords and no invitations.", "Masuklah melalui penyedia identitas layanan ini dan gunakan token aksesnya. Di sini tidak ada kata sandi dan tidak ada undangan.";
    NOT_FOUND = 404 "not_found", "Not found", "Tidak ditemukan", "Check the path and the code or id in it. Codes are case-sensitive.", "Periksa alamatnya serta kode atau id di dalamnya. Huruf besar dan kecil pada kode dibedakan.";
    METHOD_NOT_ALLOWED = 405 "method_not_allowed", "This path does not support the method", "Alamat ini tidak mendukung metode tersebut", "The `Allow` header lists the methods that the path supports.", "Header `Allow` memuat metode yang didukung alamat ini.";
    NOT_ACCEPTABLE = 406 "not_acceptable", "None of the accepted media types is available", "Jenis media yang diminta tidak tersedia", "Accept `application/json`.", "Kirim `Accept: application/json`.";
    ALREADY_EXISTS = 409 "already_exists", "The identifier is taken", "Pengenal sudah dipakai", "Choose another code, or change the existing one with `PUT` or `PATCH`.", "Pilih kode lain, atau ubah data yang sudah ada dengan `PUT` atau `PATCH`.";
    STILL_REFERENCED = 409 "still_referenced", "Other resources refer to this one", "Masih dirujuk oleh data lain", "Each entry of `referenced_by` names a resource that refers to this one. Change or delete those first.", "Setiap entri `referenced_by` menyebutkan data yang merujuk ke data ini. Ubah atau hapus data itu lebih dahulu.";
    ILLEGAL_TRANSITION = 409 "illegal_transition", "The status cannot change that way", "Status tidak dapat berubah seperti itu", "`allowed` lists the statuses that can follow.", "`allowed` memuat status yang dapat mengikuti.";
    CLOSED = 409 "closed", "It is closed and cannot be changed any more", "Sudah ditutup dan tidak dapat diubah lagi", "A closed evaluation stays as it is. What was found later belongs to another evaluation.", "Evaluasi yang sudah ditutup tidak berubah lagi. Apa yang ditemukan kemudian dicatat pada evaluasi lain.";
    CONFLICT = 409 "conflict", "The request conflicts with what is stored", "Permintaan bertentangan dengan data tersimpan", "Read the current state and decide again.", "Baca keadaan terkini, lalu putuskan kembali.";
    KEY_IN_USE = 409 "idempotency_key_in_use", "The first request with this Idempotency-Key is still running", "Permintaan pertama dengan Idempotency-Key ini masih berjalan", "Wait a second and send the same request again.", "Tunggu satu detik, lalu kirim permintaan yang sama lagi.";
    WITHHELD = 410 "withheld", "It is withheld from the public for now", "Untuk sementara tidak dibuka untuk publik", "The record names something that was withdrawn from the public since, and cannot be shown without it. Once that is public again, the record is available again, unchanged.", "Rekaman ini menyebut sesuatu yang sejak itu ditarik dari publik, dan tidak dapat ditampilkan tanpanya. Setelah hal itu terbuka lagi untuk publik, rekaman tersedia kembali tanpa perubahan.";
    FEED_RESTARTED = 410 "feed_restarted", "The feed does not reach as far as that position", "Umpan belum sampai ke posisi itu", "The positions began anew, as they do after an import into another database. `head` is the position of the last event. Read the complete state again, then follow the feed from `head`.", "Nomor posisi mulai dari awal lagi, misalnya setelah impor ke basis data lain. `head` adalah posisi kejadian terakhir. Baca kembali seluruh keadaan, lalu ikuti umpan dari `head`.";
    STALE = 412 "precondition_failed", "It was changed meanwhile", "Data telah berubah sementara itu", "Read it again, apply your change to the new state, and send the new ETag in `If-Match`.", "Baca kembali datanya, terapkan perubahan Anda pada keadaan yang baru, dan kirim ETag yang baru dalam `If-Match`.";
    TOO_LARGE = 413 "content_too_large", "The body is too large", "Isi permintaan terlalu besar", "`detail` names the limit that the body exceeds.", "`detail` menyebutkan batas yang dilampaui isi permintaan.";
    UNSUPPORTED_MEDIA_TYPE = 415 "unsupported_media_type", "The media type of the body is not supported", "Jenis media isi permintaan tidak didukung", "`detail` names the media types that are supported. Send the body as one of them, and uncompressed if it says so.", "`detail` menyebutkan jenis media yang didukung. Kirim isi permintaan sebagai salah satunya, dan tanpa kompresi jika diminta demikian.";
    INVALID = 422 "invalid", "The body can be read but breaks a rule", "Isi permintaan terbaca tetapi melanggar aturan", "`errors` lists every field error, each with a pointer into the body.", "`errors` memuat setiap kesalahan isian, masing-masing dengan penunjuk ke tempatnya dalam isi permintaan.";
    KEY_REUSED = 422 "idempotency_key_reused", "This Idempotency-Key came with another body before", "Idempotency-Key ini sudah dipakai dengan isi lain", "Make a new key for every new request.", "Buat kunci baru untuk setiap permintaan baru.";
    ROWS_REJECTED = 422 "rows_rejected", "Some rows were rejected, so none was written", "Sebagian baris ditolak, sehingga tidak ada yang ditulis", "`rows` lists each rejected row with its errors. Correct these rows, or send the push with `mode=partial` to write the other rows.", "`rows` memuat setiap baris yang ditolak beserta kesalahannya. Perbaiki baris itu, atau kirim dengan `mode=partial` agar baris lainnya ditulis.";
    PRECONDITION_REQUIRED = 428 "precondition_required", "If-Match is required", "Diperlukan If-Match", "Read the resource first and send its `ETag` in `If-Match`, so that nobody's change is overwritten unseen.", "Baca datanya lebih dahulu dan kirim `ETag`-nya dalam `If-Match`, agar perubahan orang lain tidak tertimpa tanpa terlihat.";
    TOO_MANY_REQUESTS = 429 "too_many_requests", "Too many requests or attempts", "Terlalu banyak permintaan atau percobaan", "Wait as many seconds as `Retry-After` says. `RateLimit-Policy` and `RateLimit` tell how much one address may ask, and what is left of it.", "Tunggu sebanyak detik yang disebutkan `Retry-After`. `RateLimit-Policy` dan `RateLimit` menyebutkan berapa banyak yang boleh diminta satu alamat, dan berapa yang tersisa.";
    INTERNAL = 500 "internal_error", "The service failed", "Layanan mengalami kegagalan", "The error was logged under `request_id`. A retry with the same Idempotency-Key is safe.", "Kesalahan ini dicatat dengan `request_id`. Mengulang dengan Idempotency-Key yang sama aman.";
    BUSY = 503 "busy", "The service is too busy at the moment", "Layanan sedang terlalu sibuk", "Try again after as many seconds as `Retry-After` says.", "Coba lagi setelah jumlah detik dalam `Retry-After`.";
    STORAGE_FULL = 503 "storage_full", "The database has no room left", "Basis data kehabisan ruang penyimpanan", "Nothing was written; reading goes on. Tell whoever runs the service, and send the same request again later, with the same Idempotency-Key if it had one.", "Tidak ada yang ditulis; pembacaan tetap berjalan. Beri tahu pengelola layanan, lalu kirim permintaan yang sama nanti, dengan Idempotency-Key yang sama bila ada.";
    UNAVAILABLE = 503 "unavailable", "The service cannot answer now", "Layanan tidak dapat menjawab saat ini", "Try again after as many seconds as `Retry-After` says.", "Coba lagi setelah jumlah detik dalam `Retry-After`.";
}
