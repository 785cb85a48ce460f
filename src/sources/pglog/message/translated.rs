//! Messages about statements in another language than English.

/// Whether a message says something about a statement that we cannot read.
pub(super) fn is_statement(message: &[u8]) -> bool {
    TRANSLATED.iter().any(|word| message.starts_with(word.as_bytes()))
}

/// How messages about statements begin in PostgreSQL's translations (`lc_messages`): `duration`,
/// `statement`, `execute`.
#[rustfmt::skip]
const TRANSLATED: &[&str] = &[
    "Dauer: ", "Anweisung: ", "Ausführen ",
    "duración: ", "sentencia: ", "ejecutar ",
    "durée : ", "instruction : ", "exécute ",
    "durata: ", "istruzione: ", "esecuzione di ",
    "期間: ", "文: ", "実行 ",
    "ხანგრძლივობა: ", "ოპერატორი: ", "გაშვება ",
    "실행시간: ", "수행시간: ", "명령 구문: ", "쿼리실행 ",
    "czas trwania: ", "wyrażenie: ", "wykonanie ",
    "duração: ", "comando: ", "executar ",
    "продолжительность: ", "оператор: ", "выполнение ",
    "varaktighet", "sats: ", "kör ",
    "süre: ", "ifade: ",
    "тривалість: ", "виконувати ",
    "执行时间: ", "语句: ", "执行 ",
];
