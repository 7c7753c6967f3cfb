from django.db import models


class ReasonTemplate(models.Model):
    """A text from which admins can start the reason of a flag. It belongs to all versions of a rule.

    A flag copies the text, as the admin sent it. So templates have no versions, and can be deleted.
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
