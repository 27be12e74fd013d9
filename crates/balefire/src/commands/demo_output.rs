//! The lines that the demo prints for a person to copy.

use super::demo::Scene;

pub(super) fn head() {
    say!("   provider   what   route              attempts      state         since approval");
}

/// How to post, approve, cancel and watch by hand.
pub(super) fn by_hand(scene: &Scene, client_secret: &str) {
    let Scene {
        api,
        simulator,
        service,
        key_secret,
        approver,
        ..
    } = scene;
    let program = std::env::current_exe()
        .map_or_else(|_| "balefire".to_owned(), |path| path.display().to_string());
    say!(
        "\nNow by hand, in another terminal. Paste this first:\n\n\
         export BALEFIRE={program}\n\
         export BALEFIRE_CONFIG={config}\n\
         b64() {{ openssl base64 -A | tr '+/' '-_' | tr -d '='; }}\n\
         token() {{ H=$(printf '{{\"typ\":\"JWT\",\"alg\":\"HS256\"}}' | b64); \
         C=$(printf '{{\"iss\":\"%s\",\"iat\":%s}}' \"$1\" \"$(date +%s)\" | b64); \
         printf '%s.%s.%s' \"$H\" \"$C\" \"$(printf '%s.%s' \"$H\" \"$C\" | \
         openssl dgst -sha256 -hmac \"$2\" -binary | b64)\"; }}\n\n\
         Post the sample as an agency does (posting it twice makes one alert):\n\n\
         curl -s {api}/v2/broadcast -H \"Authorization: Bearer $(token {service} {key_secret})\" \
         -H 'Content-Type: application/cap+xml' --data-binary @{sample}\n\n\
         or as a person:\n\n\
         $BALEFIRE alert submit {sample} --service {service} --as {author}\n\n\
         See it, approve it, watch it, cancel it:\n\n\
         $BALEFIRE alert list --service {service}\n\
         ID=$($BALEFIRE alert list --service {service} --json | grep -o '\"id\":\"[^\"]*' | \
         tail -1 | cut -d'\"' -f4)\n\
         $BALEFIRE alert approve $ID --as {email}\n\
         $BALEFIRE alert watch $ID\n\
         $BALEFIRE delivery list $ID\n\
         $BALEFIRE alert cancel $ID --as {email}\n\n\
         The approval as an author's web application sends it:\n\n\
         curl -s {api}/service/{service}/broadcast-message/$ID/status \
         -H \"Authorization: Bearer $(token notify-admin {client_secret})\" \
         -d '{{\"status\":\"broadcasting\",\"created_by\":\"{approver}\"}}'\n\n\
         What the simulated networks were sent, and a fault for the next alert:\n\n\
         curl -s {simulator}/_sim/requests\n\
         printf '[[fault]]\\nfunction = \"ee-*\"\\nkind = \"unavailable\"\\n' | \
         curl -s -X PUT {simulator}/_sim/faults --data-binary @-\n\n\
         The log is in {log}\n\
         Ctrl-C ends the demo.\n",
        config = scene.config_file,
        sample = scene.sample_file,
        author = scene.author_email,
        email = scene.approver_email,
        log = scene.log_file,
    );
}
