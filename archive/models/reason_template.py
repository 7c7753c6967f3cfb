from django.db import models


class ReasonTemplate(models.Model):
    """A text that admins can start the reason of a flag from. It belongs to a rule, in all versions of that rule.

    A flag has a copy of the text, as the admin sent it. So templates have no versions, and can be deleted.
    """

    MAX_NAME = 80  # characters

    rule_code = models.SlugField(max_length=40)
    name = models.CharField(max_length=MAX_NAME)
    text = models.TextField()

    class Meta:
        ordering = ["rule_code", "name", "id"]
        constraints = [models.UniqueConstraint(name="reason_template_once", fields=["rule_code", "name"])]

    def __str__(self) -> str:
        return self.name
