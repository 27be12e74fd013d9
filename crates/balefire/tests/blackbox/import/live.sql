-- An alert that is on the air: EE and Vodafone have it, O2 was asked, Three refused.
INSERT INTO broadcast_message (id, service_id, content, areas, status, starts_at, finishes_at,
    created_at, approved_at, created_by_id, approved_by_id, reference, stubbed)
    SELECT 'b1000000-0000-4000-8000-000000000001', '50000000-0000-4000-8000-000000000001',
        'Leave the valley', '{"ids": ["w"], "names": ["W"], "simple_polygons": [[[53.1, 0.1], [53.2, 0.1], [53.2, 0.2], [53.1, 0.1]]]}',
        'broadcasting', t, t + interval '3 hours', t, t, 'a0000000-0000-4000-8000-000000000001',
        'a0000000-0000-4000-8000-000000000002', 'valley', FALSE
    FROM (SELECT timestamp '@NOW@' - interval '10 minutes' AS t) AS at;
INSERT INTO broadcast_event
    SELECT 'd1000000-0000-4000-8000-000000000001', service_id, id, approved_at, 'alert',
        '{"body": "Leave the valley"}', areas, 'notifications.service.gov.uk', starts_at, finishes_at
    FROM broadcast_message WHERE id = 'b1000000-0000-4000-8000-000000000001';
INSERT INTO broadcast_provider_message
    SELECT m.id, 'd1000000-0000-4000-8000-000000000001', m.provider, m.status,
        timestamp '@NOW@' - interval '9 minutes', timestamp '@NOW@' - interval '9 minutes'
    FROM (VALUES ('f1000000-0000-4000-8000-00000000000e'::uuid, 'ee', 'returned-ack'),
        ('f1000000-0000-4000-8000-00000000000f', 'vodafone', 'returned-ack'),
        ('f1000000-0000-4000-8000-000000000002', 'o2', 'sending'),
        ('f1000000-0000-4000-8000-000000000003', 'three', 'returned-error')) AS m (id, provider, status);
INSERT INTO broadcast_provider_message_number VALUES (78, 'f1000000-0000-4000-8000-00000000000f');
SELECT setval('broadcast_provider_message_number_seq', 81);
