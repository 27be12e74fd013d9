-- What the import reads of the earlier service's last schema: its tables, columns and types. Written
-- for these tests; the rows come from the tests.
CREATE TYPE permission_types AS ENUM ('manage_users', 'manage_templates', 'manage_settings',
    'manage_api_keys', 'platform_admin', 'view_activity', 'create_broadcasts', 'approve_broadcasts',
    'cancel_broadcasts', 'reject_broadcasts');
CREATE TYPE template_type AS ENUM ('broadcast', 'email');
CREATE TABLE organisation (id UUID PRIMARY KEY, name VARCHAR(255) NOT NULL, active BOOLEAN NOT NULL,
    created_at TIMESTAMP NOT NULL, updated_at TIMESTAMP, crown BOOLEAN,
    organisation_type VARCHAR(255), notes TEXT);
CREATE TABLE domain (domain VARCHAR(255) PRIMARY KEY, organisation_id UUID NOT NULL);
CREATE TABLE users (id UUID PRIMARY KEY, name VARCHAR NOT NULL, email_address VARCHAR(255) NOT NULL,
    created_at TIMESTAMP NOT NULL, updated_at TIMESTAMP, _password VARCHAR NOT NULL,
    mobile_number VARCHAR, password_changed_at TIMESTAMP NOT NULL, logged_in_at TIMESTAMP,
    failed_login_count INTEGER NOT NULL DEFAULT 0, state VARCHAR NOT NULL,
    platform_admin_capable BOOLEAN NOT NULL DEFAULT FALSE, platform_admin_redemption TIMESTAMP,
    current_session_id UUID, auth_type VARCHAR NOT NULL,
    email_access_validated_at TIMESTAMP NOT NULL);
CREATE TABLE user_to_organisation (user_id UUID, organisation_id UUID);
CREATE TABLE user_to_service (user_id UUID, service_id UUID, PRIMARY KEY (user_id, service_id));
CREATE TABLE permissions (id UUID PRIMARY KEY, service_id UUID, user_id UUID NOT NULL,
    permission permission_types NOT NULL, created_at TIMESTAMP NOT NULL);
CREATE TABLE services (id UUID PRIMARY KEY, name VARCHAR(255) NOT NULL,
    created_at TIMESTAMP NOT NULL, updated_at TIMESTAMP, active BOOLEAN NOT NULL,
    restricted BOOLEAN NOT NULL, created_by_id UUID NOT NULL, organisation_type VARCHAR(255),
    crown BOOLEAN, go_live_user_id UUID, go_live_at TIMESTAMP, organisation_id UUID, notes TEXT,
    version INTEGER NOT NULL DEFAULT 1);
CREATE TABLE service_broadcast_settings (service_id UUID PRIMARY KEY, channel VARCHAR(255) NOT NULL,
    provider VARCHAR, created_at TIMESTAMP NOT NULL, updated_at TIMESTAMP);
CREATE TABLE service_permissions (service_id UUID, permission VARCHAR(255),
    created_at TIMESTAMP NOT NULL, PRIMARY KEY (service_id, permission));
CREATE TABLE template_folder (id UUID PRIMARY KEY, service_id UUID NOT NULL, name VARCHAR NOT NULL,
    parent_id UUID);
CREATE TABLE user_folder_permissions (user_id UUID, template_folder_id UUID, service_id UUID,
    PRIMARY KEY (user_id, template_folder_id, service_id));
CREATE TABLE template_folder_map (template_id UUID PRIMARY KEY, template_folder_id UUID NOT NULL);
CREATE TABLE templates (id UUID PRIMARY KEY, reference VARCHAR(255) NOT NULL,
    template_type template_type NOT NULL, created_at TIMESTAMP NOT NULL, updated_at TIMESTAMP,
    content TEXT NOT NULL, archived BOOLEAN NOT NULL, broadcast_data JSONB, areas JSONB,
    service_id UUID NOT NULL, created_by_id UUID NOT NULL, version INTEGER NOT NULL);
CREATE TABLE templates_history (LIKE templates, PRIMARY KEY (id, version));
CREATE TABLE api_keys (id UUID PRIMARY KEY, name VARCHAR(255) NOT NULL, secret VARCHAR(255) NOT NULL,
    service_id UUID NOT NULL, key_type VARCHAR(255) NOT NULL, expiry_date TIMESTAMP,
    created_at TIMESTAMP NOT NULL, updated_at TIMESTAMP, created_by_id UUID NOT NULL,
    version INTEGER NOT NULL DEFAULT 1);
CREATE TABLE webauthn_credential (id UUID PRIMARY KEY, user_id UUID NOT NULL, name VARCHAR NOT NULL,
    credential_data VARCHAR NOT NULL, registration_response VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL, updated_at TIMESTAMP, logged_in_at TIMESTAMP);
CREATE TABLE feature_toggles (name VARCHAR(255) PRIMARY KEY, is_enabled BOOLEAN NOT NULL,
    display_html VARCHAR);
CREATE TABLE broadcast_message (id UUID PRIMARY KEY, service_id UUID, template_id UUID,
    template_version INTEGER, _personalisation VARCHAR, content VARCHAR, rejection_reason VARCHAR,
    areas JSONB NOT NULL, status VARCHAR NOT NULL, duration INTERVAL, starts_at TIMESTAMP,
    finishes_at TIMESTAMP, created_at TIMESTAMP NOT NULL, approved_at TIMESTAMP,
    cancelled_at TIMESTAMP, rejected_at TIMESTAMP, updated_at TIMESTAMP, submitted_at TIMESTAMP,
    created_by_id UUID, approved_by_id UUID, cancelled_by_id UUID, rejected_by_id UUID,
    submitted_by_id UUID, updated_by_id UUID, created_by_api_key_id UUID,
    cancelled_by_api_key_id UUID, rejected_by_api_key_id UUID, reference VARCHAR(255),
    cap_event VARCHAR(255), stubbed BOOLEAN, extra_content TEXT,
    finished_govuk_acknowledged BOOLEAN NOT NULL DEFAULT FALSE,
    exclude BOOLEAN NOT NULL DEFAULT FALSE);
CREATE TABLE broadcast_message_history (id UUID, reference VARCHAR(255) NOT NULL,
    created_at TIMESTAMP NOT NULL, content TEXT NOT NULL, service_id UUID NOT NULL,
    created_by_id UUID, version INTEGER NOT NULL, areas JSONB, duration INTERVAL,
    extra_content TEXT, PRIMARY KEY (id, version));
CREATE TABLE broadcast_message_edit_reasons (id UUID PRIMARY KEY, broadcast_message_id UUID NOT NULL,
    created_at TIMESTAMP NOT NULL, submitted_at TIMESTAMP NOT NULL, service_id UUID NOT NULL,
    created_by_id UUID, submitted_by_id UUID, edit_reason TEXT NOT NULL);
CREATE TABLE broadcast_event (id UUID PRIMARY KEY, service_id UUID, broadcast_message_id UUID NOT NULL,
    sent_at TIMESTAMP NOT NULL, message_type VARCHAR NOT NULL, transmitted_content JSONB,
    transmitted_areas JSONB NOT NULL, transmitted_sender VARCHAR NOT NULL,
    transmitted_starts_at TIMESTAMP, transmitted_finishes_at TIMESTAMP);
CREATE TABLE broadcast_provider_message (id UUID PRIMARY KEY, broadcast_event_id UUID,
    provider VARCHAR, status VARCHAR, created_at TIMESTAMP NOT NULL, updated_at TIMESTAMP);
CREATE SEQUENCE broadcast_provider_message_number_seq;
CREATE TABLE broadcast_provider_message_number (
    broadcast_provider_message_number INTEGER PRIMARY KEY
        DEFAULT nextval('broadcast_provider_message_number_seq'),
    broadcast_provider_message_id UUID NOT NULL);
GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO PUBLIC;
