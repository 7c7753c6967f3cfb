"""What `make run` prints about mail."""

from embedded.run import describe_mail


def test_links_in_mails_can_be_found_without_a_mail_server() -> None:
    assert describe_mail({}) == (
        " Mail goes nowhere: links of invitations and new passwords are in the files in .data/mail/."
    )


def test_with_a_mail_server_nothing_is_said() -> None:
    assert describe_mail({"EMAIL_URL": "smtp://mail.example.org"}) == ""
