//! Every bound of the system, with its unit and its reason (invariant 7, D44).

use std::time::Duration;

/// Bytes of a request body: the largest real CAP documents are under 1 MiB.
pub const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Levels of nested XML elements; CAP 1.2 needs 5, a signature 8.
pub const XML_DEPTH_MAX: usize = 16;
/// XML elements in one document.
pub const XML_ELEMENTS_MAX: usize = 10_000;
/// XML attributes in one document, namespace declarations included.
pub const XML_ATTRIBUTES_MAX: usize = 20_000;
/// XML attributes of one element: the parser compares each with each.
pub const XML_ATTRIBUTES_PER_ELEMENT_MAX: usize = 32;
/// Bytes of one XML attribute, its name or its value, and of an element's name: CAP 1.2 has no
/// attributes, and what signatures have is under 200.
pub const XML_ATTRIBUTE_BYTES_MAX: usize = 16 * 1024;
/// Namespace prefixes that one document declares: the parser carries them from level to level.
pub const XML_PREFIXES_MAX: usize = 32;
/// Nodes of the parsed tree: elements, the text between them, comments.
pub const XML_NODES_MAX: u32 = 50_000;
/// Characters `<`, and likewise `=`, wherever in a document they stand: the parser sets about 90
/// bytes aside for each before it reads. The elements and attributes above need half as many.
pub const XML_MARKS_MAX: usize = 100_000;
/// Triples in the `references` of one message.
pub const CAP_REFERENCES_MAX: usize = 1_000;
/// Errors reported for one CAP document, and likewise warnings; the rest are only counted.
pub const CAP_FINDINGS_MAX: usize = 100;
/// Pairs of lines compared in one polygon to see whether it crosses itself; an honest outline of
/// 50,000 points needs under a million.
pub const CAP_LINE_PAIRS_MAX: usize = 20_000_000;
/// `info` blocks of one alert.
pub const CAP_INFOS_MAX: usize = 100;
/// Polygons of one alert, over all its areas.
pub const POLYGONS_MAX: usize = 1_000;
/// Points of one alert, over all its polygons.
pub const POINTS_MAX: usize = 50_000;
/// Above this many polygons a shape is smoothed and simplified before it is sent (D22).
pub const POLYGONS_UNCHANGED_MAX: usize = 12;
/// Above this many points a shape is smoothed and simplified before it is sent (D22).
pub const POINTS_UNCHANGED_MAX: usize = 250;
/// Bytes of a file of areas or of population cells; all wards of the United Kingdom have half.
pub const AREA_FILE_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Areas of one library.
pub const AREAS_PER_LIBRARY_MAX: usize = 100_000;
/// Points of one library, over all its areas: 8 bytes of memory each.
pub const LIBRARY_POINTS_MAX: usize = 20_000_000;
/// Characters of an area's id and of its name, and of what a library is called.
pub const AREA_NAME_CHARS_MAX: usize = 255;
/// Cells of one population.
pub const POPULATION_CELLS_MAX: usize = 2_000_000;
/// Libraries that a process keeps in memory once they were looked into.
pub const LIBRARIES_KEPT_MAX: usize = 8;
/// Areas that one search tells of.
pub const AREAS_FOUND_MAX: usize = 1_000;
/// Versions of libraries, or of populations, in one list.
pub const LIBRARY_VERSIONS_LISTED_MAX: u32 = 1_000;
/// How long an import may go on; what is left incomplete after that is taken away by the next one.
pub const IMPORT_TIME_MAX: Duration = Duration::from_secs(3600);
/// Rows that an import writes in one transaction: the one writer of SQLite, which sends alerts, is
/// free again within some ten milliseconds.
pub const IMPORT_ROWS_MAX: usize = 200;
/// Bytes that an import writes in one transaction, unless a single row is larger.
pub const IMPORT_BYTES_MAX: usize = 512 * 1024;
/// Characters of an alert's text in GSM-7, an extension character counting 2: 15 pages of 93
/// (3GPP TS 23.041).
pub const TEXT_GSM7_MAX: usize = 1_395;
/// UTF-16 code units of an alert's text in UCS-2: 15 pages of 41 (3GPP TS 23.041).
pub const TEXT_UCS2_MAX: usize = 615;
/// Bytes of an alert's text as it is written: 70 times what can be sent, and normalising it stays
/// under a few milliseconds.
pub const TEXT_BYTES_MAX: usize = 100_000;
/// Rows on one page of an answer of `/v3`, and how many where the client doesn't say.
pub const PAGE_ROWS_MAX: u32 = 100;
/// See [`PAGE_ROWS_MAX`].
pub const PAGE_ROWS: u32 = 20;
/// Characters of a client's own name for a request.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;
/// Alerts in one answer to the public site; a country sends a few a year.
pub const PUBLIC_ALERTS_MAX: u32 = 10_000;
/// Tasks of the publisher in one list.
pub const PUBLISH_TASKS_LISTED_MAX: u32 = 1_000;
/// Characters of what the publisher calls a task or a file.
pub const PUBLISHED_NAME_CHARS_MAX: usize = 1_000;
/// Characters of an alert's reference, and of each name in a CAP identity: they are indexed.
pub const REFERENCE_CHARS_MAX: usize = 255;
/// Versions of one alert, proposed ones too: each approved update adds to every lane of the alert,
/// and to what a later message names.
pub const ALERT_VERSIONS_MAX: u32 = 200;
/// Characters of the reason for a rejection: a few sentences.
pub const REJECTION_REASON_CHARS_MAX: usize = 2_000;
/// Characters of what the public page shows beside an alert's text.
pub const EXTRA_CONTENT_CHARS_MAX: usize = 20_000;
/// Characters of a template's text: six text messages' worth, as authors know it.
pub const TEMPLATE_CHARS_MAX: usize = 918;
/// Templates of one service, put away ones too.
pub const TEMPLATES_PER_SERVICE_MAX: u32 = 2_000;
/// Versions of one template.
pub const TEMPLATE_VERSIONS_MAX: u32 = 500;
/// Folders of one service; a tree is no deeper.
pub const FOLDERS_PER_SERVICE_MAX: usize = 500;
/// Characters of a folder's name.
pub const FOLDER_NAME_CHARS_MAX: usize = 255;
/// Telephone numbers and hosts that one service may list: every approval reads them all.
pub const SERVICE_CONTACTS_MAX: usize = 500;
/// Bytes read of a proxy's answer; more is no answer (unknown).
pub const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Bytes of the status line and header fields of an answer; a real one has under 2 KiB.
pub const ANSWER_HEAD_BYTES_MAX: usize = 32 * 1024;
/// Header fields of an answer; a real one has under 20.
pub const ANSWER_HEADERS_MAX: usize = 64;
/// Characters of the detail that is kept with an attempt.
pub const DETAIL_CHARS_MAX: usize = 200;
/// Bytes of the name that a proxy of ours gives to its present start; a UUID has 36.
pub const BOOT_ID_BYTES_MAX: usize = 64;
/// How long the body of an answer whose status alone decides is waited for: the next route is
/// tried meanwhile at the earliest after this.
pub const DECIDED_BODY_WAIT: Duration = Duration::from_millis(100);
/// Addresses of one name that are tried; each gets an equal share of the time to connect.
pub const ADDRESSES_PER_NAME_MAX: usize = 4;
/// Warm connections kept per route: one in use by a lane and one for a hedge, twice.
pub const IDLE_CONNECTIONS_PER_ROUTE_MAX: usize = 4;
/// A connection older than this is not used again: firewalls and NAT gateways forget idle ones
/// after 350 s without telling either end.
pub const CONNECTION_AGE_MAX: Duration = Duration::from_secs(300);
/// Bytes read of an answer to a command or the demo.
pub const CLIENT_ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes of a file of further certificate authorities; all public ones together are under 1 MiB.
pub const CA_FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Attempts in flight to one provider in one process (D60).
pub const ATTEMPTS_PER_PROVIDER_MAX: usize = 32;
/// Of these, how many only a cancel may take (D60).
pub const ATTEMPTS_FOR_CANCELS_ONLY: usize = 8;
/// Link tests, heartbeats and canaries that one process has under way at once.
pub const PROBES_AT_ONCE_MAX: usize = 32;
/// Lanes that one sweep takes up; the next sweep takes the rest.
pub const LANES_PER_SWEEP_MAX: usize = 500;
/// Jobs of one kind that are carried out at once in one process.
pub const JOBS_PER_KIND_MAX: usize = 8;
/// How long one call of a job to another system may take; a job makes two at most.
pub const JOB_CALL_TIME_MAX: Duration = Duration::from_secs(6);
/// How long a job may take altogether.
pub const JOB_TIME_MAX: Duration = Duration::from_secs(15);
/// How long a worker keeps a job: longer than it may work on it, and short enough that the page of
/// a worker that died still goes out within a minute.
pub const JOB_LEASE: Duration = Duration::from_secs(20);
/// Bytes read of an answer to a ticket or a page: a page of 100 tickets of a service that doesn't
/// know what it was asked has half of it.
pub const JOB_ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// Characters of the reason that is kept with a job that failed.
pub const JOB_ERROR_CHARS_MAX: usize = 300;
/// Characters of the note with which a person closes a duty item.
pub const DUTY_NOTE_CHARS_MAX: usize = 2_000;
/// Duty items in one list.
pub const DUTY_ITEMS_LISTED_MAX: u32 = 1_000;
/// Rows of a table that one look at the metrics counts.
pub const GAUGE_ROWS_MAX: usize = 50_000;
/// How long a look at the metrics waits for the database.
pub const METRICS_TIME_MAX: Duration = Duration::from_millis(1_500);
/// Tries of a transaction that the database asked to repeat (deadlock, serialization; D59).
pub const TRANSACTION_TRIES_MAX: u32 = 5;
/// How long a verb may take with the database, every try together: a client is told within five
/// seconds that the database is away.
pub const VERB_TIME_MAX: Duration = Duration::from_millis(4_500);
/// Bytes of a payload to a proxy: what Lambda takes in a synchronous call.
pub const INVOKE_PAYLOAD_BYTES_MAX: usize = 6 * 1024 * 1024;
/// Characters of an identifier that a simulated provider takes; ours have 36.
pub const SIM_IDENTIFIER_CHARS_MAX: usize = 128;
/// Identifiers that the simulated providers remember together.
pub const SIM_IDENTIFIERS_MAX: usize = 1_000_000;
/// Requests in the simulator's log; the oldest make room.
pub const SIM_REQUESTS_LOGGED_MAX: usize = 100_000;
/// Bytes of the payloads in the simulator's log; the oldest make room.
pub const SIM_LOG_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes of a faults file.
pub const SIM_FAULTS_BYTES_MAX: usize = 256 * 1024;
/// Faults of one faults file.
pub const SIM_FAULTS_MAX: usize = 1_000;
/// The longest that a fault waits.
pub const SIM_WAIT_MAX: Duration = Duration::from_secs(600);
/// How long a simulated provider hangs when the fault does not say; above every attempt deadline.
pub const SIM_HANG: Duration = Duration::from_secs(120);
/// Requests that a simulator keeps waiting before it applies them.
pub const SIM_WAITING_MAX: usize = 10_000;
/// Alerts whose ids one read of `history verify` takes; each is then read and judged on its own.
pub const HISTORY_PAGE_ALERTS: usize = 200;
/// Requests in the providers' logs that `history verify` takes in one go, 100 bytes of memory each.
pub const HISTORY_REQUESTS_MAX: usize = 5_000_000;
/// Bytes of one line of a provider's log: the largest payload, with every character escaped.
pub const HISTORY_LINE_BYTES_MAX: usize = 2 * INVOKE_PAYLOAD_BYTES_MAX;
/// How long a request may be on its way before `history verify` takes it for late.
pub const HISTORY_TRAVEL_MAX: Duration = Duration::from_secs(1);
/// Audit entries that are linked in one transaction: the one writer of SQLite, which sends alerts,
/// is free again within some ten milliseconds.
pub const AUDIT_LINKS_PER_ROUND_MAX: usize = 200;
/// Links of the audit trail that are read at once, to be judged or exported.
pub const AUDIT_PAGE_LINKS: usize = 500;
/// Wrong places of the audit trail that are named; all are counted.
pub const AUDIT_FINDINGS_MAX: usize = 20;
/// Entries on one page of a service's history.
pub const AUDIT_HISTORY_PAGE_MAX: usize = 50;
/// How much later than others an entry may be committed and still be seen by the next look for what
/// is not linked yet; a look at everything, each hour, finds the rest. No transaction takes long.
pub const AUDIT_COMMIT_DELAY_MAX: Duration = Duration::from_secs(3600);
/// Refused attempts of one actor that are kept in the audit trail per [`AUDIT_REFUSALS_PERIOD`];
/// further ones stand in the log alone, so that nobody fills the disk by being refused.
pub const AUDIT_REFUSALS_MAX: u32 = 60;
/// See [`AUDIT_REFUSALS_MAX`].
pub const AUDIT_REFUSALS_PERIOD: Duration = Duration::from_secs(3600);
/// How long a request may take, its body included; then it is answered 503.
pub const REQUEST_TIME_MAX: Duration = Duration::from_secs(30);
/// How long the head of a request may take, and how long a connection may idle before the next.
pub const REQUEST_HEAD_TIME_MAX: Duration = Duration::from_secs(10);
/// Bytes of the head of a request; a real one has under 2 KiB.
pub const REQUEST_HEAD_BYTES_MAX: usize = 32 * 1024;
/// Connections that are served at once; more wait in the kernel's queue.
pub const HTTP_CONNECTIONS_MAX: usize = 1_024;
/// How long a connection is read after its last answer, so that a client that is still sending a
/// refused body gets to read why.
pub const LINGER_TIME_MAX: Duration = Duration::from_secs(2);
/// Bytes read and thrown away in that time.
pub const LINGER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long the database may take to answer whether it is there.
pub const READINESS_TIME_MAX: Duration = Duration::from_secs(2);
/// Errors named in one answer; further ones are left out.
pub const ERRORS_PER_ANSWER_MAX: usize = 20;
/// The longest duration that an author may note; how long an alert may really last is for its
/// channel to say, at the approval.
pub const NOTED_DURATION_MAX: Duration = Duration::from_secs(366 * 24 * 3600);

const _: () = assert!(ATTEMPTS_FOR_CANCELS_ONLY < ATTEMPTS_PER_PROVIDER_MAX);
const _: () = assert!(2 * JOB_CALL_TIME_MAX.as_secs() < JOB_TIME_MAX.as_secs());
const _: () = assert!(JOB_TIME_MAX.as_secs() < JOB_LEASE.as_secs());
const _: () = assert!(POINTS_UNCHANGED_MAX < POINTS_MAX);
const _: () = assert!(POLYGONS_UNCHANGED_MAX < POLYGONS_MAX);
/// A process that dispatches and was not seen for so long is dead (D26); it is seen each 5 s.
pub const UNSEEN_MAX: Duration = Duration::from_secs(15);
/// A lane that has been due for so long, with no process that dispatches, is told of (D19).
pub const UNDISPATCHED_MAX: Duration = Duration::from_secs(45);
/// Characters of a service's or an organisation's name.
pub const SERVICE_NAME_CHARS_MAX: usize = 255;
/// Characters of what administrators note of a service.
pub const NOTES_CHARS_MAX: usize = 10_000;
/// Characters of a key's name.
pub const KEY_NAME_CHARS_MAX: usize = 255;
/// Template folders that a member is told to see in one body.
pub const FOLDERS_PER_MEMBER_MAX: usize = 1_000;
/// Domains of an organisation.
pub const DOMAINS_PER_ORGANISATION_MAX: usize = 200;
/// Characters of an e-mail address (RFC 5321).
pub const EMAIL_CHARS_MAX: usize = 320;
/// Characters of a host to which links lead.
pub const LINK_HOST_CHARS_MAX: usize = 255;
/// Bytes of what an administrator's action says.
pub const ADMIN_ACTION_DATA_BYTES_MAX: usize = 20_000;
/// Invitations, organisations and actions in one answer.
pub const PEOPLE_LISTED_MAX: u32 = 1_000;
/// Characters of one row of the earlier service, as JSON, that an import reads.
pub const EARLIER_ROW_CHARS_MAX: i64 = 8 * 1024 * 1024;
/// Rows of the earlier service that an import reads at once: of small ones, and of alerts and
/// templates, each of which brings its versions and its messages along.
pub const EARLIER_ROWS_MAX: i64 = 200;
/// See [`EARLIER_ROWS_MAX`].
pub const EARLIER_LARGE_ROWS_MAX: i64 = 20;
/// Rows of one kind that belong to what was read at once.
pub const EARLIER_PARTS_MAX: i64 = 20_000;
/// Folders of templates that an import sorts.
pub const EARLIER_FOLDERS_MAX: usize = 100_000;
/// Rows of which an import tells by name why they were refused or differ; the rest is counted.
pub const EARLIER_TOLD_MAX: usize = 200;
/// Levels of folders in folders that an import brings.
pub const EARLIER_FOLDER_LEVELS_MAX: usize = 50;
